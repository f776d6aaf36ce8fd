import type { FakeState, UploadChange } from './control-api.ts';
import type { NewDocument } from './documents.ts';
import type { Faults } from './faults.ts';
import type { FailedDelivery, LostEvent } from './tally.ts';
import type { OcrRun } from './user-upload.ts';
import type { KnownUpload } from './user-uploads.ts';

/** Drives a fake Argyle: each function is one request to its /control. */
export type ArgyleControl = ReturnType<typeof createArgyleControl>;

/** Makes the client; `controlUrl` as startFakeArgyle gives it. All throw with the fake's sentence when it refuses. */
export function createArgyleControl(controlUrl: string) {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${controlUrl}/${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const answer = (await response.json()) as T & { readonly detail?: string };
    if (!response.ok) throw new Error(`${method} /control/${path} was answered ${response.status}: ${answer.detail}`);
    return answer;
  };
  return {
    /** Uploads a document and fires the event of it. */
    uploadDocument: (document: NewDocument = {}) => call<KnownUpload>('POST', 'uploads', document),
    /** Lets OCR come to a result and fires the event of it. */
    runOcr: (userUpload: string, run: OcrRun) => call<KnownUpload>('POST', `uploads/${userUpload}/ocr`, run),
    /** The user deletes a document: the API answers 404 for it from now on, and the event is fired. */
    removeUpload: (userUpload: string) => call<KnownUpload>('DELETE', `uploads/${userUpload}`),
    /** An account is deleted: the same for each of its documents. */
    removeAccount: (account: string) => call<readonly KnownUpload[]>('DELETE', `accounts/${account}`),
    /** Puts fields into the user-upload object as they are, however wrong, without an event; null takes one away. */
    changeUpload: (userUpload: string, fields: UploadChange) =>
      call<KnownUpload>('PATCH', `uploads/${userUpload}`, fields),
    /** A document with its user, whether removed or not. */
    readUpload: (userUpload: string) => call<KnownUpload>('GET', `uploads/${userUpload}`),
    /** All documents but the seeded ones that nothing has happened to since; removed ones too. */
    readUploads: () => call<readonly KnownUpload[]>('GET', 'uploads'),
    /** Adds `count` documents that were there before, without events; which ones says seededIds(seed, 0 to count - 1). */
    seedUploads: (count: number, seed: number) => call<object>('POST', 'seed', { count, seed }),
    /** Replaces all faults. */
    setFaults: (faults: Faults) => call<Faults>('POST', 'faults', faults),
    clearFaults: () => call<object>('DELETE', 'faults'),
    state: () => call<FakeState>('GET', 'state'),
    refusedDeliveries: () => call<readonly FailedDelivery[]>('GET', 'deliveries/refused'),
    droppedDeliveries: () => call<readonly FailedDelivery[]>('GET', 'deliveries/dropped'),
    lostEvents: () => call<readonly LostEvent[]>('GET', 'lost'),
    /** Whether every delivery, its retry too, has an outcome; waits for it up to `limitMs`. */
    settled: async (limitMs = 60_000) =>
      (await call<{ readonly isSettled: boolean }>('GET', `settled?limitMs=${limitMs}`)).isSettled,
    /** Forgets everything: documents, subscriptions, faults, counters. Deliveries under way still arrive. */
    reset: () => call<object>('POST', 'reset'),
  };
}
