import { events, eventTypes } from '../domain/events.ts';
import { isObject } from '../domain/is-object.ts';
import { statusOf, type UploadSlots, type UploadStatus } from '../domain/upload-record.ts';
import { processingSteps } from '../domain/user-upload.ts';

/** One write to the table, from its stream: the stored record before and after the write, if it existed. */
export type RecordWrite = {
  /** The id of the write in the stream. It is the same each time the stream delivers the write. */
  readonly id: string;
  readonly userUpload: string;
  readonly before: StoredRecord | undefined;
  readonly after: StoredRecord | undefined;
  /** Whether DynamoDB deleted the record because it had expired. */
  readonly isExpiry: boolean;
};

/** The published event of a change. `null` means that there was or is no record. */
export type RecordChange = {
  readonly id: string;
  readonly userUpload: string;
  readonly statusBefore: UploadStatus | null;
  readonly statusAfter: UploadStatus | null;
  /** Whether the record was deleted because it had expired. */
  readonly expired: boolean;
  readonly before: PublishedRecord | null;
  readonly after: PublishedRecord | null;
};

/** The public part of a record: ids, times, and the document's type, states, score and time. No text of the user or of OCR. */
export type PublishedRecord = UploadSlots & {
  readonly userUpload: string;
  readonly account?: string;
  readonly user?: string;
  readonly expiresAt?: number;
  readonly document?: {
    readonly type?: string;
    readonly processing: Readonly<Record<string, string>>;
    readonly authenticityScore?: number;
    readonly updatedAt?: string;
  };
};

type StoredRecord = Readonly<Record<string, unknown>>;

const texts = ['account', 'user', ...eventTypes.map((event) => events[event].slot)] as const;
// A word from a fixed list, such as `W-2` or `in_progress`. Excludes sentences and file names.
const word = /^[\w-]{1,40}$/;
// An id or a time. Excludes texts that people write.
const token = /^[\w.:+-]{1,64}$/;
const steps = processingSteps.toSorted();

/** Returns the event to publish for a write, or undefined when no published attribute changed. */
export function describeChange({ id, userUpload, before, after, isExpiry }: RecordWrite): RecordChange | undefined {
  const published = { before: before ? publish(before) : null, after: after ? publish(after) : null };
  if (JSON.stringify(published.before) === JSON.stringify(published.after)) return undefined;
  return {
    id,
    userUpload,
    statusBefore: published.before && statusOf(published.before),
    statusAfter: published.after && statusOf(published.after),
    expired: isExpiry,
    ...published,
  };
}

// Attributes are listed one by one, so that an attribute added to records later is not published by accident. The order is
// fixed, so that equal records serialise to equal texts.
function publish(record: StoredRecord): PublishedRecord {
  return {
    userUpload: String(record.userUpload),
    ...pick(record, texts, isToken),
    ...pick(record, ['expiresAt'], Number.isInteger),
    ...(isObject(record.document) && { document: publishDocument(record.document) }),
  };
}

// Without `fileName` and `ocrErrors`, which are personal data, and without `fetchedAt`, which does not describe the document.
function publishDocument(document: StoredRecord): NonNullable<PublishedRecord['document']> {
  const processing = isObject(document.processing) ? document.processing : {};
  return {
    ...pick(document, ['type'], isWord),
    processing: pick(processing, steps, isWord),
    ...pick(document, ['authenticityScore'], Number.isInteger),
    ...pick(document, ['updatedAt'], isToken),
  };
}

function pick(
  record: StoredRecord,
  names: readonly string[],
  isPublic: (value: unknown) => boolean,
): Record<string, never> {
  return Object.fromEntries(
    names.filter((name) => isPublic(record[name])).map((name) => [name, record[name] as never]),
  );
}

function isWord(value: unknown): boolean {
  return typeof value === 'string' && word.test(value);
}

function isToken(value: unknown): boolean {
  return typeof value === 'string' && token.test(value);
}
