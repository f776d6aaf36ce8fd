import { events, eventTypes } from '../domain/events.ts';
import { statusOf, type UploadSlots, type UploadStatus } from '../domain/upload-record.ts';
import { processingSteps } from '../domain/user-upload.ts';

/** One write to the table as its stream tells it: the stored record before and after, where there was one. */
export type RecordWrite = {
  /** The stream's own id of the write: the same each time it is delivered. */
  readonly id: string;
  readonly userUpload: string;
  readonly before: StoredRecord | undefined;
  readonly after: StoredRecord | undefined;
  /** Whether DynamoDB deleted the record because its time had come. */
  readonly isExpiry: boolean;
};

/** What is published of a change; null stands for no record. */
export type RecordChange = {
  readonly id: string;
  readonly userUpload: string;
  readonly statusBefore: UploadStatus | null;
  readonly statusAfter: UploadStatus | null;
  /** Whether the record went because its time had come. */
  readonly expired: boolean;
  readonly before: PublishedRecord | null;
  readonly after: PublishedRecord | null;
};

/** A record without what the user or OCR wrote: ids, times, and of the document words of Argyle's and numbers. */
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
// A word of a closed list, as `W-2` or `in_progress`; a sentence or a file name is none.
const word = /^[\w-]{1,40}$/;
// An id or a time; nothing that somebody wrote.
const token = /^[\w.:+-]{1,64}$/;
const steps = processingSteps.toSorted();

/** What a write changed for those who read what is published; undefined when nothing of that has changed. */
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

// Attributes are named one by one, so that one that is added to records stays inside until somebody decides otherwise; in
// one order, so that equal records are equal texts.
function publish(record: StoredRecord): PublishedRecord {
  return {
    userUpload: String(record.userUpload),
    ...pick(record, texts, isToken),
    ...pick(record, ['expiresAt'], Number.isInteger),
    ...(isObject(record.document) && { document: publishDocument(record.document) }),
  };
}

// Not `fileName` and `ocrErrors`: personal data. Not `fetchedAt`: it tells of us, not of the document.
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

function isObject(value: unknown): value is StoredRecord {
  return typeof value === 'object' && value !== null;
}
