import { type EventType, eventOf } from '../domain/events.ts';
import { removalSlot, type UploadSlots } from '../domain/upload-record.ts';
import type { UserUpload } from '../domain/user-upload.ts';

/** What a comparison needs of a record. `documentUpdatedAt` is absent where the document was never fetched. */
export type KnownRecord = {
  readonly userUpload: string;
  readonly account: string;
  readonly user?: string;
  readonly slots: UploadSlots;
  readonly documentUpdatedAt?: string;
};

/**
 * How a record stands to what Argyle lists. `missing`: there is none. `behind`: it lacks a slot, or its document is
 * older. `tombstone`: removed here, whatever Argyle says. `events` bring it up to date; each of them also fetches the document.
 */
export type Comparison = {
  readonly kind: 'missing' | 'behind' | 'current' | 'tombstone';
  readonly events: readonly EventType[];
};

/** Compares one of Argyle's uploads with its record. */
export function compareUpload(upload: UserUpload, record: KnownRecord | undefined): Comparison {
  if (!record) return { kind: 'missing', events: upload.slots.map(eventOf) };
  if (record.slots[removalSlot]) return { kind: 'tombstone', events: [] };
  const lacking = upload.slots.filter((slot) => !record.slots[slot]);
  if (lacking.length > 0) return { kind: 'behind', events: lacking.map(eventOf) };
  const isOlder = record.documentUpdatedAt === undefined || record.documentUpdatedAt < upload.document.updatedAt;
  // The first slot is set already: the event changes nothing but that the document is fetched.
  return isOlder ? { kind: 'behind', events: [eventOf('addedAt')] } : { kind: 'current', events: [] };
}

/**
 * The body of an event that no webhook told of, in the form of a webhook's. The user-upload object names no user, so
 * there is one only where a webhook brought it.
 */
export function foundEventBody(
  event: EventType,
  { userUpload, account, user }: { readonly userUpload: string; readonly account: string; readonly user?: string },
): Uint8Array {
  const data = { account, ...(user && { user }), user_upload: userUpload };
  return Buffer.from(JSON.stringify({ event, name: 'reconciliation', data }, undefined, 2));
}
