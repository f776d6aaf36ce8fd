import { type AskArgyle, argyleError } from '../argyle/argyle-api.ts';
import { readUserUpload } from '../domain/user-upload.ts';
import type { WriteDocument } from './document-store.ts';

/** `gone`: Argyle returned 404, so the document was removed. `failed`: retry, but not before `retryAfterSeconds`. */
export type EnrichmentOutcome =
  | { readonly kind: 'written' | 'older' | 'gone' }
  | { readonly kind: 'failed'; readonly error: unknown; readonly retryAfterSeconds?: number };

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
