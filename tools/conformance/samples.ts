import { createHmac, randomUUID } from 'node:crypto';
import { type EventType, events, eventTypes } from '../../functions/domain/events.ts';
import { removalSlot } from '../../functions/domain/upload-record.ts';

/** One sample document's ids. */
export type SampleUpload = { readonly account: string; readonly user: string; readonly userUpload: string };

/** How every id that the checks send begins, so that whoever meets one knows where it comes from. */
export const sampleIdStart = 'c0ffee00';

/** An event that is in no catalogue. */
export const sampleUnknownEvent = 'conformance.unknown';

/** The subscription's name in the samples. */
export const sampleName = 'conformance';

/** The event of a check to which it does not matter. */
export const sampleEvent = eventTypes.find((event) => events[event].slot !== removalSlot) as EventType;

/** The event that takes a document away. */
export const removalEvent = eventTypes.find((event) => events[event].slot === removalSlot) as EventType;

/** Ids of a new document; `makeId` writes them. */
export function sampleUpload(makeId: () => string = rfcId): SampleUpload {
  return { account: makeId(), user: makeId(), userUpload: makeId() };
}

/** An id as Argyle makes them: 8-4-4-4-12 hex whose version and variant digits are none of RFC 9562. */
export function foreignId(): string {
  return rfcId().replace(/-4(...)-./, '-0$1-2');
}

/** A webhook as Argyle writes it: two spaces, LF, no final newline. */
export function webhookBody(event: string, upload: SampleUpload = sampleUpload(), name: string = sampleName): string {
  return JSON.stringify({ event, name, data: dataOf(upload) }, null, 2);
}

/** The `data` of a webhook. */
export function dataOf({ account, user, userUpload }: SampleUpload) {
  return { account, user, user_upload: userUpload };
}

/** A webhook of exactly so many bytes in UTF-8, filled with a character of two bytes as far as it goes. */
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
