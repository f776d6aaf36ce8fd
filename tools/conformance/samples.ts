import { createHmac, randomUUID } from 'node:crypto';
import { type EventType, events, eventTypes } from '../../functions/domain/events.ts';
import { removalSlot } from '../../functions/domain/upload-record.ts';

/** The ids of one sample document. */
export type SampleUpload = { readonly account: string; readonly user: string; readonly userUpload: string };

/** The start of every id that the checks send, so that their records can be recognised. */
export const sampleIdStart = 'c0ffee00';

/** The subscription's name in the samples. */
export const sampleName = 'conformance';

/** An event that is not in the catalogue. */
export const sampleUnknownEvent = 'conformance.unknown';

/** An event for checks that need any event of the catalogue. */
export const sampleEvent = eventTypes.find((event) => events[event].slot !== removalSlot) as EventType;

/** The event that removes a document. */
export const removalEvent = eventTypes.find((event) => events[event].slot === removalSlot) as EventType;

/** Creates the ids of a new document. */
export function sampleUpload(makeId: () => string = rfcId): SampleUpload {
  return { account: makeId(), user: makeId(), userUpload: makeId() };
}

/** Creates an id like Argyle's: 8-4-4-4-12 hex whose version and variant digits are not those of RFC 9562. */
export function foreignId(): string {
  return rfcId().replace(/-4(...)-./, '-0$1-2');
}

/** A webhook in Argyle's format: two spaces, LF, no final newline. */
export function webhookBody(event: string, upload: SampleUpload = sampleUpload(), name: string = sampleName): string {
  return JSON.stringify({ event, name, data: dataOf(upload) }, null, 2);
}

/** The `data` of a webhook. */
export function dataOf({ account, user, userUpload }: SampleUpload) {
  return { account, user, user_upload: userUpload };
}

/** A webhook of exactly this size in UTF-8, filled with a character of two bytes. */
export function bodyOfSize(sizeBytes: number): string {
  const upload = sampleUpload();
  const missing = sizeBytes - Buffer.byteLength(webhookBody(sampleEvent, upload, ''));
  return webhookBody(sampleEvent, upload, 'é'.repeat(missing / 2) + 'x'.repeat(missing % 2));
}

/** The signature that Argyle sends with a body. */
export function signatureOf(body: string | Uint8Array, secret: string, algorithm = 'sha512'): string {
  return createHmac(algorithm, secret).update(body).digest('hex');
}

function rfcId(): string {
  return randomUUID().replace(/^.{8}/, sampleIdStart);
}
