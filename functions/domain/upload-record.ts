import type { Slot } from './events.ts';

/**
 * The slots of one upload record: the earliest receipt time of each event, ISO 8601 UTC with milliseconds. The record's
 * other attributes are `userUpload`, `account`, `user`, `document` and, once removed, `expiresAt` (epoch seconds).
 */
export type UploadSlots = Partial<Readonly<Record<Slot, string>>>;

/** All statuses of a document, in order of precedence. */
export const uploadStatuses = ['removed', 'ocr_completed', 'ocr_failed', 'added', 'pending'] as const;

/** The status of a document, derived from its record and never stored. */
export type UploadStatus = (typeof uploadStatuses)[number];

/** The slot of the event that deletes the document's personal data and starts the record's expiry. */
export const removalSlot = 'removedAt' satisfies Slot;

/**
 * Returns the status of a record. A success takes precedence over a failure in any order of arrival, because Argyle sends
 * it only if no OCR error occurred. `pending` means that only authenticity, or nothing, is known so far.
 */
export function statusOf(record: UploadSlots): UploadStatus {
  if (record.removedAt) return 'removed';
  if (record.ocrCompletedAt) return 'ocr_completed';
  if (record.ocrFailedAt) return 'ocr_failed';
  if (record.addedAt) return 'added';
  return 'pending';
}

/** Returns when a removed record expires: epoch seconds, `retentionDays` after the removal. */
export function expiryOf(removedAt: string, retentionDays: number): number {
  return Math.floor(Date.parse(removedAt) / 1000) + retentionDays * 86_400;
}

/**
 * Whether a message was received too long ago (over 30 days) to create a record. The tombstone of its document may have
 * expired since, and a new record would restore a removed document. Tombstones are kept for more than 30 days.
 */
export function isTooOldToCreate(receivedAt: string, nowMs: number): boolean {
  return nowMs - Date.parse(receivedAt) > 30 * 86_400_000;
}
