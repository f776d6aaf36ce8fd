import { fetchWithoutProxy } from '../local/loopback-fetch.ts';
import { type ApiAnswer, errorAnswer } from './api.ts';
import type { FakeState } from './fake-state.ts';
import type { Faults } from './faults.ts';
import type { OcrRun } from './user-upload.ts';
import type { KnownUpload, NewDocument } from './user-uploads.ts';

/** A running fake; `reset` replaces its state. */
export type Fake = { readonly state: FakeState; readonly reset: () => void };

/** Controls a fake Argyle. Each function is one request to its /control, and throws the fake's error message. */
export type ArgyleControl = { readonly [Name in keyof typeof operations]: Remote<(typeof operations)[Name]> };

export type FakeSummary = Awaited<ReturnType<ArgyleControl['state']>>;

type Remote<Operation> = Operation extends (fake: Fake, ...given: infer Given) => infer Result
  ? (...given: Given) => Promise<Awaited<Result>>
  : never;

// What a test or the console can do that Argyle's API cannot.
const operations = {
  /** Uploads a document and sends its event. */
  uploadDocument: ({ state }: Fake, document: NewDocument = {}) => {
    const known = state.uploads.upload(document);
    if (!known) throw new Error('The id is taken.');
    return known;
  },
  /** Completes OCR with a result and sends its event. */
  runOcr: ({ state }: Fake, userUpload: string, run: OcrRun) => found(state.uploads.runOcr(userUpload, run)),
  /** Deletes a document: the API answers 404 for it from now on, and its event is sent. */
  removeUpload: ({ state }: Fake, userUpload: string) => found(state.uploads.remove(userUpload)),
  /** Deletes an account with all its documents. */
  removeAccount: ({ state }: Fake, account: string) => state.uploads.removeAccount(account),
  /** Overwrites fields of the user-upload object with any value, without an event. Null deletes a field. */
  changeUpload: ({ state }: Fake, userUpload: string, fields: Readonly<Record<string, unknown>>) =>
    found(state.uploads.overwrite(userUpload, fields)),
  /** Reads a document with its user, even a removed one. */
  readUpload: ({ state }: Fake, userUpload: string) => found(state.uploads.find(userUpload)),
  /** Reads all documents, including removed ones, except seeded ones that never changed. */
  readUploads: ({ state }: Fake) => state.uploads.changed(),
  /** Adds `count` documents without events. Their ids are those of seededIds(seed, 0 to count - 1). */
  seedUploads: ({ state }: Fake, count: number, seed: number) => state.uploads.seed(seed, count),
  /** Replaces all faults. */
  setFaults: ({ state }: Fake, faults: Faults) => state.faults.set(faults),
  clearFaults: ({ state }: Fake) => state.faults.set({}),
  /** `uploads`: number listed. `lost`: number of events that no subscription acknowledged. `memoryBytes`: of its process. */
  state: ({ state: { uploads, webhooks, deliveries, requests, faults } }: Fake) => ({
    uploads: uploads.count(),
    webhooks: webhooks.all().map(({ secret, ...shown }) => shown),
    deliveries: deliveries.counts(),
    lost: deliveries.lost.length,
    requests: requests.counts(),
    faults: faults.get(),
    memoryBytes: process.memoryUsage.rss(),
  }),
  refusedDeliveries: ({ state }: Fake) => state.deliveries.failed.refused,
  droppedDeliveries: ({ state }: Fake) => state.deliveries.failed.dropped,
  lostEvents: ({ state }: Fake) => state.deliveries.lost,
  /** Waits at most `limitMs` until every delivery, including its retry, has an outcome. Returns whether that is so. */
  settled: ({ state }: Fake, limitMs = 60_000) => state.deliveries.settled(limitMs),
  /** Deletes documents, subscriptions, faults and counters. Deliveries in progress still arrive. */
  reset: (fake: Fake) => fake.reset(),
};

/** Creates the client of a fake's `controlUrl`. */
export function createArgyleControl(controlUrl: string): ArgyleControl {
  const remote = async (name: string, ...given: readonly unknown[]) => {
    const response = await fetchWithoutProxy(`${controlUrl}/${name}`, { method: 'POST', body: JSON.stringify(given) });
    const answer = (await response.json()) as { readonly detail: string };
    if (!response.ok) throw new Error(`The fake Argyle refused ${name}: ${answer.detail}`);
    return answer;
  };
  const names = Object.keys(operations);
  return Object.fromEntries(names.map((name) => [name, remote.bind(undefined, name)])) as unknown as ArgyleControl;
}

/** Answers a request of that client. `given`: the parsed body. */
export async function answerControl(fake: Fake, name: string, given: unknown): Promise<ApiAnswer> {
  if (!Object.hasOwn(operations, name)) return errorAnswer(404, 'There is no such operation.');
  const operation = operations[name as keyof typeof operations] as (fake: Fake, ...given: unknown[]) => unknown;
  try {
    return { status: 200, body: (await operation(fake, ...(given as unknown[]))) ?? {} };
  } catch (error) {
    return errorAnswer(400, (error as Error).message);
  }
}

function found(known: KnownUpload | undefined): KnownUpload {
  if (!known) throw new Error('There is no such upload.');
  return known;
}
