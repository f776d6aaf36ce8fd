import { type EventType, eventOf } from '../domain/events.ts';
import { removalSlot, type UploadSlots } from '../domain/upload-record.ts';
import type { UserUpload } from '../domain/user-upload.ts';

/** The parts of a record that a comparison needs. `documentUpdatedAt` is absent if the document was never fetched. */
export type KnownRecord = {
  readonly userUpload: string;
  readonly account: string;
  readonly user?: string;
  readonly slots: UploadSlots;
  readonly documentUpdatedAt?: string;
};

/**
 * The result of comparing a listed upload with its record. `missing`: there is no record. `behind`: the record lacks a slot, or
 * its document is older. `tombstone`: the record is removed, and stays removed. `events` bring the record up to date; each of them
 * also makes a worker fetch the document.
 */
export type Comparison = {
  readonly kind: 'missing' | 'behind' | 'current' | 'tombstone';
  readonly events: readonly EventType[];
};

export function compareUpload(upload: UserUpload, record: KnownRecord | undefined): Comparison {
  if (!record) return { kind: 'missing', events: upload.slots.map(eventOf) };
  if (record.slots[removalSlot]) return { kind: 'tombstone', events: [] };
  const lacking = upload.slots.filter((slot) => !record.slots[slot]);
  if (lacking.length > 0) return { kind: 'behind', events: lacking.map(eventOf) };
  const isOlder = record.documentUpdatedAt === undefined || record.documentUpdatedAt < upload.document.updatedAt;
  // This slot is already set, so the event only makes a worker fetch the document.
  return isOlder ? { kind: 'behind', events: [eventOf('addedAt')] } : { kind: 'current', events: [] };
}

/**
 * Returns the body of an event that reconciliation found, in the form of a webhook's body. Argyle's user-upload object has no
 * user, so the body has a user only if an earlier webhook contained it.
 */
export function foundEventBody(
  event: EventType,
  { userUpload, account, user }: { readonly userUpload: string; readonly account: string; readonly user?: string },
): Uint8Array {
  const data = { account, ...(user && { user }), user_upload: userUpload };
  return Buffer.from(JSON.stringify({ event, name: 'reconciliation', data }, undefined, 2));
}
