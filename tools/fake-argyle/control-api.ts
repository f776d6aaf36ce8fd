import { type ApiAnswer, type ApiRequest, detail } from './api.ts';
import type { NewDocument } from './documents.ts';
import type { Failure, Faults } from './faults.ts';
import type { RequestCounts } from './requests.ts';
import type { DeliveryCounts } from './tally.ts';
import type { OcrRun } from './user-upload.ts';
import type { Webhook } from './webhooks.ts';
import type { World } from './world.ts';

/** What the fake can say of itself. `uploads`: how many are listed. `lost`: events that nobody acknowledged. `memoryBytes`: its process's. */
export type FakeState = {
  readonly uploads: number;
  readonly webhooks: readonly Omit<Webhook, 'secret'>[];
  readonly deliveries: DeliveryCounts;
  readonly lost: number;
  readonly requests: RequestCounts;
  readonly faults: Faults;
  readonly memoryBytes: number;
};

/** Fields of a user-upload object, right or wrong; null takes a field away. */
export type UploadChange = Readonly<Record<string, unknown>>;

type Arguments = {
  readonly world: World;
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: object;
};

/** What drives the fake, under /control: Argyle has nothing of it. */
const routes: Readonly<Record<string, (given: Arguments) => ApiAnswer | Promise<ApiAnswer>>> = {
  'GET state': ({ world }) => ok(stateOf(world)),
  'POST uploads': ({ world, body }) => {
    const known = world.documents.upload(body as NewDocument);
    return known ? { status: 201, body: known } : { status: 409, body: detail('There is such an upload.') };
  },
  'GET uploads': ({ world }) => ok(world.uploads.changed()),
  'GET uploads/{id}': ({ world, id }) => found(world.uploads.find(id)),
  'PATCH uploads/{id}': ({ world, id, body }) => found(world.documents.change(id, body as UploadChange)),
  'DELETE uploads/{id}': ({ world, id }) => found(world.documents.remove(id)),
  'POST uploads/{id}/ocr': ({ world, id, body }) => {
    const run = body as OcrRun;
    if (!['success', 'failure', 'authenticity'].includes(run.result))
      return refusal('result: success, failure, or authenticity.');
    return found(world.documents.runOcr(id, run));
  },
  'DELETE accounts/{id}': ({ world, id }) => ok(world.documents.removeAccount(id)),
  'POST seed': ({ world, body }) => {
    const { count, seed } = body as { readonly count: number; readonly seed: number };
    if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed))
      return refusal('count and seed: whole numbers.');
    world.uploads.seed(seed, count);
    return ok({ count });
  },
  'POST faults': ({ world, body }) => {
    const faults = body as Faults;
    if (faults.failures?.some((failure: Partial<Failure>) => !failure.path))
      return refusal('Each failure needs a path.');
    world.faults.set(faults);
    return ok(faults);
  },
  'DELETE faults': ({ world }) => {
    world.faults.set({});
    return ok({});
  },
  'GET deliveries/refused': ({ world }) => ok(world.tally.failed.refused),
  'GET deliveries/dropped': ({ world }) => ok(world.tally.failed.dropped),
  'GET lost': ({ world }) => ok(world.tally.lost),
  'GET settled': async ({ world, query }) =>
    ok({ isSettled: await world.tally.settled(Number(query.get('limitMs') ?? 60_000)) }),
};

/** Answers a request under /control. Resetting is the server's, as it replaces the world. */
export async function answerControl(world: World, { method, url, body }: ApiRequest): Promise<ApiAnswer> {
  const [, collection = '', id = '', rest = ''] = /^\/control\/(\w+)(?:\/([^/]+))?(\/\w+)?$/.exec(url.pathname) ?? [];
  const given = { world, id, query: url.searchParams, body: Object(body ?? {}) };
  const route = routes[`${method} ${collection}/${id}`] ?? routes[`${method} ${collection}${id && '/{id}'}${rest}`];
  return route ? route(given) : { status: 404, body: detail('There is no such control.') };
}

function stateOf({ uploads, webhooks, tally, requests, faults }: World): FakeState {
  return {
    uploads: uploads.count(),
    webhooks: webhooks.all().map(({ secret, ...shown }) => shown),
    deliveries: tally.counts(),
    lost: tally.lost.length,
    requests: requests.counts(),
    faults: faults.get(),
    memoryBytes: process.memoryUsage.rss(),
  };
}

function ok(body: unknown): ApiAnswer {
  return { status: 200, body };
}

function found(body: unknown): ApiAnswer {
  return body ? { status: 200, body } : { status: 404, body: detail('There is no such upload.') };
}

function refusal(text: string): ApiAnswer {
  return { status: 400, body: detail(text) };
}
