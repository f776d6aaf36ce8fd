import { type ApiAnswer, type ApiRequest, errorAnswer } from './api.ts';
import type { DeliveryCounts } from './deliveries.ts';
import type { FakeState, RequestCounts } from './fake-state.ts';
import type { Failure, Faults } from './faults.ts';
import type { OcrRun } from './user-upload.ts';
import type { NewDocument } from './user-uploads.ts';
import type { Webhook } from './webhooks.ts';

/** Summary of a fake. `uploads`: number listed. `lost`: number of events that no subscription acknowledged. */
export type FakeSummary = {
  readonly uploads: number;
  readonly webhooks: readonly Omit<Webhook, 'secret'>[];
  readonly deliveries: DeliveryCounts;
  readonly lost: number;
  readonly requests: RequestCounts;
  readonly faults: Faults;
  /** Resident memory of its process. */
  readonly memoryBytes: number;
};

/** Fields of a user-upload object with any value; null deletes a field. */
export type UploadChange = Readonly<Record<string, unknown>>;

type Given = {
  readonly state: FakeState;
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: object;
};

/** Routes under /control, which Argyle does not have. */
const routes: Readonly<Record<string, (given: Given) => ApiAnswer | Promise<ApiAnswer>>> = {
  'GET state': ({ state }) => ok(summaryOf(state)),
  'POST uploads': ({ state, body }) => {
    const known = state.uploads.upload(body as NewDocument);
    return known ? { status: 201, body: known } : errorAnswer(409, 'The id is taken.');
  },
  'GET uploads': ({ state }) => ok(state.uploads.changed()),
  'GET uploads/{id}': ({ state, id }) => found(state.uploads.find(id)),
  'PATCH uploads/{id}': ({ state, id, body }) => found(state.uploads.overwrite(id, body as UploadChange)),
  'DELETE uploads/{id}': ({ state, id }) => found(state.uploads.remove(id)),
  'POST uploads/{id}/ocr': ({ state, id, body }) => {
    const run = body as OcrRun;
    const isValid = ['success', 'failure', 'authenticity'].includes(run.result);
    return isValid
      ? found(state.uploads.runOcr(id, run))
      : errorAnswer(400, 'result: success, failure or authenticity.');
  },
  'DELETE accounts/{id}': ({ state, id }) => ok(state.uploads.removeAccount(id)),
  'POST seed': ({ state, body }) => {
    const { count, seed } = body as { readonly count: number; readonly seed: number };
    if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed))
      return errorAnswer(400, 'count and seed must be integers, count at least 1.');
    state.uploads.seed(seed, count);
    return ok({ count });
  },
  'POST faults': ({ state, body }) => {
    const faults = body as Faults;
    if (faults.failures?.some((failure: Partial<Failure>) => !failure.path))
      return errorAnswer(400, 'Each failure needs a path.');
    state.faults.set(faults);
    return ok(faults);
  },
  'DELETE faults': ({ state }) => {
    state.faults.set({});
    return ok({});
  },
  'GET deliveries/refused': ({ state }) => ok(state.deliveries.failed.refused),
  'GET deliveries/dropped': ({ state }) => ok(state.deliveries.failed.dropped),
  'GET lost': ({ state }) => ok(state.deliveries.lost),
  'GET settled': async ({ state, query }) =>
    ok({ isSettled: await state.deliveries.settled(Number(query.get('limitMs') ?? 60_000)) }),
};

/** Answers a request under /control. The server itself handles reset, because that replaces the state. */
export async function answerControl(state: FakeState, { method, url, body }: ApiRequest): Promise<ApiAnswer> {
  const [, collection = '', id = '', rest = ''] = /^\/control\/(\w+)(?:\/([^/]+))?(\/\w+)?$/.exec(url.pathname) ?? [];
  const route = routes[`${method} ${collection}/${id}`] ?? routes[`${method} ${collection}${id && '/{id}'}${rest}`];
  if (!route) return errorAnswer(404, 'There is no such control.');
  return route({ state, id, query: url.searchParams, body: Object(body ?? {}) });
}

function summaryOf({ uploads, webhooks, deliveries, requests, faults }: FakeState): FakeSummary {
  return {
    uploads: uploads.count(),
    webhooks: webhooks.all().map(({ secret, ...shown }) => shown),
    deliveries: deliveries.counts(),
    lost: deliveries.lost.length,
    requests: requests.counts(),
    faults: faults.get(),
    memoryBytes: process.memoryUsage.rss(),
  };
}

function ok(body: unknown): ApiAnswer {
  return { status: 200, body };
}

function found(body: unknown): ApiAnswer {
  return body ? ok(body) : errorAnswer(404, 'There is no such upload.');
}
