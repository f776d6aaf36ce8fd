import { type AskArgyle, argyleError } from '../argyle/argyle-api.ts';
import { readUserUpload } from '../domain/user-upload.ts';
import type { WriteDocument } from './document-store.ts';

/**
 * `gone`: Argyle returned 404, so the document was removed, or Argyle's API does not know it yet. `failed`: retry, but not before
 * `retryAfterSeconds`.
 */
export type EnrichmentOutcome =
  | { readonly kind: 'written' | 'older' | 'gone' }
  | { readonly kind: 'failed'; readonly error: unknown; readonly retryAfterSeconds?: number };

// Argyle's API may not know a document for a moment when its webhook arrives. With the backoff, the requests are 5 and 10 s apart.
const maxRequests = 3;
// The document of an older message, as after a redrive, has had enough time to appear.
const mayAppearMs = 60_000;

/** Fetches one document from Argyle into its record. Throws when DynamoDB fails or the credentials cannot be read. */
export type Enrich = (userUpload: string, deadline: AbortSignal) => Promise<EnrichmentOutcome>;

export type EnrichmentDependencies = {
  readonly askArgyle: AskArgyle;
  readonly writeDocument: WriteDocument;
  readonly nowMs: () => number;
};

/**
 * Creates the function that adds the document to a record after the event's write. `fetchedAt` is the time before the request, so
 * that Argyle's answer is at least as recent.
 */
export function createEnrich({ askArgyle, writeDocument, nowMs }: EnrichmentDependencies): Enrich {
  return async (userUpload, deadline) => {
    const fetchedAt = new Date(nowMs()).toISOString();
    const answer = await askArgyle('GET', `/user-uploads/${userUpload}`, { signal: deadline });
    if (answer.kind === 'not_found') return { kind: 'gone' };
    if (answer.kind !== 'ok') return { ...answer, kind: 'failed', error: argyleError(answer) };
    const upload = readUserUpload(answer.body);
    if (upload?.id !== userUpload) return { kind: 'failed', error: argyleError({ kind: 'refused', status: 200 }) };
    return { kind: await writeDocument(userUpload, upload.document, fetchedAt, deadline) };
  };
}

/** Returns an `enrich` for one batch. Messages of the same document share one fetch, because all of them arrived before it. */
export function createBatchEnrich(enrich: Enrich): Enrich {
  const outcomes = new Map<string, Promise<EnrichmentOutcome>>();
  return (userUpload, deadline) => {
    const outcome = outcomes.get(userUpload) ?? enrich(userUpload, deadline);
    outcomes.set(userUpload, outcome);
    return outcome;
  };
}

/**
 * Whether the document in the record is at least as recent as a message. A `fetchedAt` in the future does not count: it comes from a
 * wrong clock.
 */
export function isFetchedSince(receivedAt: string, fetchedAt: string | undefined, nowMs: number): boolean {
  return fetchedAt !== undefined && receivedAt <= fetchedAt && Date.parse(fetchedAt) <= nowMs;
}

/**
 * Whether a document that Argyle does not know may still appear: its webhook arrived within the last minute, and its message was received
 * from the queue fewer than three times.
 */
export function mayAppear(receivedAt: string, receiveCount: number, nowMs: number): boolean {
  return receiveCount < maxRequests && Math.abs(nowMs - Date.parse(receivedAt)) < mayAppearMs;
}
