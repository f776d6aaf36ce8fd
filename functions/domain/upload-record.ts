import type { Slot } from './events.ts';

/**
 * The slots of one upload record: the earliest receipt time of each event, ISO 8601 UTC with milliseconds. A record
 * holds them beside `userUpload`, `account`, `user` and, once removed, `expiresAt` (epoch seconds).
 */
export type UploadSlots = Partial<Readonly<Record<Slot, string>>>;

/** Every status of a document, those first that outrank others. */
export const uploadStatuses = ['removed', 'ocr_completed', 'ocr_failed', 'added', 'pending'] as const;

/** What a reader is told about a document; derived from the record, never stored. */
export type UploadStatus = (typeof uploadStatuses)[number];

/** The slot whose event takes the document's personal data away and starts the record's expiry. */
export const removalSlot = 'removedAt' satisfies Slot;

/**
 * The status of a record. A success outranks a failure, whichever arrived last: Argyle sends it only when no OCR
 * error occurred. `pending`: only authenticity is known so far.
 */
export function statusOf(record: UploadSlots): UploadStatus {
  if (record.removedAt) return 'removed';
  if (record.ocrCompletedAt) return 'ocr_completed';
  if (record.ocrFailedAt) return 'ocr_failed';
  if (record.addedAt) return 'added';
  return 'pending';
}

/** When a removed record expires: epoch seconds, `retentionDays` after the removal. */
export function expiryOf(removedAt: string, retentionDays: number): number {
  return Math.floor(Date.parse(removedAt) / 1000) + retentionDays * 86_400;
}

/**
 * Whether a message is too old to create a record (received over 30 days ago): the tombstone of its document may
 * have expired meanwhile, and the document would come back to life. Tombstones are kept longer than that.
 */
export function isTooOldToCreate(receivedAt: string, nowMs: number): boolean {
  return nowMs - Date.parse(receivedAt) > 30 * 86_400_000;
}
