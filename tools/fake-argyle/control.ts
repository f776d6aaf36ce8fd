import type { FakeSummary, UploadChange } from './control-api.ts';
import type { FailedDelivery, LostEvent } from './deliveries.ts';
import type { Faults } from './faults.ts';
import type { OcrRun } from './user-upload.ts';
import type { KnownUpload, NewDocument } from './user-uploads.ts';

/** Controls a fake Argyle. Each function is one request to its /control. */
export type ArgyleControl = ReturnType<typeof createArgyleControl>;

/** Creates the client of a fake's `controlUrl`. Its functions throw the fake's error message. */
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
    /** Uploads a document and sends its event. */
    uploadDocument: (document: NewDocument = {}) => call<KnownUpload>('POST', 'uploads', document),
    /** Completes OCR with a result and sends its event. */
    runOcr: (userUpload: string, run: OcrRun) => call<KnownUpload>('POST', `uploads/${userUpload}/ocr`, run),
    /** Deletes a document: the API answers 404 for it from now on, and its event is sent. */
    removeUpload: (userUpload: string) => call<KnownUpload>('DELETE', `uploads/${userUpload}`),
    /** Deletes an account with all its documents. */
    removeAccount: (account: string) => call<readonly KnownUpload[]>('DELETE', `accounts/${account}`),
    /** Overwrites fields of the user-upload object with any value, without an event. Null deletes a field. */
    changeUpload: (userUpload: string, fields: UploadChange) =>
      call<KnownUpload>('PATCH', `uploads/${userUpload}`, fields),
    /** Reads a document with its user, even a removed one. */
    readUpload: (userUpload: string) => call<KnownUpload>('GET', `uploads/${userUpload}`),
    /** Reads all documents, including removed ones, except seeded ones that never changed. */
    readUploads: () => call<readonly KnownUpload[]>('GET', 'uploads'),
    /** Adds `count` documents without events. Their ids are those of seededIds(seed, 0 to count - 1). */
    seedUploads: (count: number, seed: number) => call<object>('POST', 'seed', { count, seed }),
    /** Replaces all faults. */
    setFaults: (faults: Faults) => call<Faults>('POST', 'faults', faults),
    clearFaults: () => call<object>('DELETE', 'faults'),
    state: () => call<FakeSummary>('GET', 'state'),
    refusedDeliveries: () => call<readonly FailedDelivery[]>('GET', 'deliveries/refused'),
    droppedDeliveries: () => call<readonly FailedDelivery[]>('GET', 'deliveries/dropped'),
    lostEvents: () => call<readonly LostEvent[]>('GET', 'lost'),
    /** Waits at most `limitMs` until every delivery, including its retry, has an outcome. Returns whether that is so. */
    settled: async (limitMs = 60_000) =>
      (await call<{ readonly isSettled: boolean }>('GET', `settled?limitMs=${limitMs}`)).isSettled,
    /** Deletes documents, subscriptions, faults and counters. Deliveries in progress still arrive. */
    reset: () => call<object>('POST', 'reset'),
  };
}
