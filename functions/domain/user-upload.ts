import type { Slot } from './events.ts';
import { isObject } from './is-object.ts';

/** A document as Argyle's API returns it and the record stores it, together with the time of the fetch. */
export type Document = {
  readonly type?: string;
  /** The user's own file name: personal data and hostile input. */
  readonly fileName?: string;
  /** The states of the processing steps, in Argyle's words. */
  readonly processing: Readonly<Record<string, string>>;
  /** Why OCR failed: Ocrolus's free text, never an enum. */
  readonly ocrErrors: readonly string[];
  /** 0 to 100; higher is more genuine. */
  readonly authenticityScore?: number;
  /** ISO 8601 UTC with milliseconds; the epoch when Argyle's time is invalid. */
  readonly updatedAt: string;
};

/** One of Argyle's user uploads: its ids, its document, and the slots that its record should have. */
export type UserUpload = {
  readonly id: string;
  readonly account: string;
  readonly document: Document;
  readonly slots: readonly Slot[];
};

/** Argyle's processing steps of a document; each has its own state. */
export const processingSteps = ['classification', 'ocr', 'authenticity'] as const;

const maxTextCharacters = 1_000;
const maxOcrErrors = 20;
// JSON.stringify throws for objects that are nested some thousand levels deep.
const maxErrorDepth = 5;
const epoch = new Date(0).toISOString();

/**
 * Reads a user-upload object of `GET /v2/user-uploads`. Returns undefined when it has no ids. Everything else may be absent:
 * older copies lack `processing`, and `{}` and null both mean empty (Argyle's documentation, read 2026-11-24). Texts are
 * cut at 1,000 characters, and errors at five levels, to keep the record small. Never throws, whatever the value contains.
 */
export function readUserUpload(value: unknown): UserUpload | undefined {
  if (!isObject(value) || typeof value.id !== 'string' || typeof value.account !== 'string') return undefined;
  const metadata = isObject(value.metadata) ? value.metadata : {};
  const processing = readProcessing(value.processing);
  const ocrErrors = readOcrErrors(metadata.ocr_data);
  const score = metadata.ocr_authenticity_score;
  return {
    id: value.id.toLowerCase(),
    account: value.account.toLowerCase(),
    document: {
      ...(typeof value.document_type === 'string' && { type: cut(value.document_type) }),
      ...(typeof value.file_name === 'string' && { fileName: cut(value.file_name) }),
      processing,
      ocrErrors,
      ...(isScore(score) && { authenticityScore: score }),
      updatedAt: utcTime(value.updated_at),
    },
    slots: slotsOf(metadata, processing, ocrErrors.length > 0),
  };
}

/**
 * Converts a time to ISO 8601 UTC with milliseconds, which sorts as text. Returns the epoch for an invalid time and for years of
 * more or fewer than four digits, which would not sort.
 */
export function utcTime(value: unknown): string {
  const time = typeof value === 'string' ? new Date(value) : new Date(Number.NaN);
  const text = Number.isNaN(time.getTime()) ? epoch : time.toISOString();
  return /^\d/.test(text) ? text : epoch;
}

function readProcessing(value: unknown): Record<string, string> {
  const states = isObject(value) ? value : {};
  return Object.fromEntries(
    processingSteps.flatMap((step) => (typeof states[step] === 'string' ? [[step, cut(states[step])]] : [])),
  );
}

function readOcrErrors(ocrData: unknown): readonly string[] {
  if (!isObject(ocrData)) return [];
  const errors = Array.isArray(ocrData.error) ? ocrData.error : [ocrData.error];
  return errors
    .filter((error) => !isEmpty(error))
    .slice(0, maxOcrErrors)
    .map((error) => cut(typeof error === 'string' ? error : JSON.stringify(withinDepth(error, maxErrorDepth))));
}

// Replaces what is nested deeper by an ellipsis.
function withinDepth(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return '…';
  if (Array.isArray(value)) return value.map((item) => withinDepth(item, depth - 1));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withinDepth(item, depth - 1)]));
}

// DynamoDB's client throws for numbers beyond the safe integers, and only these are scores.
function isScore(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 100;
}

function slotsOf(
  metadata: Readonly<Record<string, unknown>>,
  { ocr, authenticity }: Readonly<Record<string, string>>,
  hasOcrErrors: boolean,
): readonly Slot[] {
  const isOcrFailed = ocr === 'failed' || hasOcrErrors;
  const isOcrCompleted = !isOcrFailed && (ocr === undefined ? !isEmpty(metadata.ocr_data) : ocr === 'completed');
  const hasAuthenticity =
    authenticity === undefined ? !isEmpty(metadata.ocr_authenticity) : authenticity === 'completed';
  return [
    'addedAt',
    ...(isOcrFailed ? (['ocrFailedAt'] as const) : []),
    ...(isOcrCompleted ? (['ocrCompletedAt'] as const) : []),
    ...(hasAuthenticity ? (['authenticityAt'] as const) : []),
  ];
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

// Cuts by code points, so that no surrogate pair is split. A single surrogate is not valid UTF-8: DynamoDB could refuse it.
function cut(text: string): string {
  const start = text.slice(0, 2 * maxTextCharacters);
  return Array.from(start).slice(0, maxTextCharacters).join('').toWellFormed();
}
