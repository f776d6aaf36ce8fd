import { isDeepStrictEqual } from 'node:util';
import { type Item, slots } from '../soak/record-differences.ts';
import type { Delivery, History, UploadEvent } from './histories.ts';

/** The record of one upload before and after reconciliation. Before it ran, all times of `before` were moved back by `shiftedMs`. */
export type Reconciled = {
  readonly before: Item | undefined;
  readonly after: Item | undefined;
  readonly shiftedMs: number;
};

const retentionSeconds = 90 * 24 * 60 * 60;

// The event that decides the status comes first.
const statuses = ['removed', 'ocr_completed', 'ocr_failed', 'added'];

/** Whether we acknowledged one of the event's deliveries. */
export function isAcknowledged({ deliveries }: UploadEvent): boolean {
  return deliveries.some(({ acknowledgedMs }) => acknowledgedMs !== undefined);
}

/** Returns what is wrong with a record, given the history of its upload. `nowMs` is when the record was read. */
export function recordErrors(record: Item | undefined, history: History, nowMs: number): readonly string[] {
  if (!record) return history.some(isAcknowledged) ? ['lost: there is no record'] : [];
  const ids: Item = { ...history[0]?.ids };
  const known = new Set([...Object.keys(ids), 'expiresAt', 'document', ...Object.values(slots)]);
  const expiresAt = record.removedAt && Math.floor(Date.parse(String(record.removedAt)) / 1_000) + retentionSeconds;
  return [
    ...Object.keys(ids).flatMap((name) => (record[name] === ids[name] ? [] : [`wrong ${name}`])),
    ...Object.keys(record).flatMap((name) => (known.has(name) ? [] : [`unexpected ${name}`])),
    ...Object.entries(slots).flatMap(([event, slot]) => {
      const deliveries = history.filter((uploadEvent) => uploadEvent.event === event).flatMap((of) => of.deliveries);
      return slotErrors(record[slot], slot, deliveries);
    }),
    ...(record.expiresAt === expiresAt ? [] : ['wrong expiresAt']),
    ...documentErrors(record, history, nowMs),
  ];
}

/** Returns what reconciliation did wrong: a wrong status, or a slot that it changed. */
export function reconciliationErrors(history: History, { before, after, shiftedMs }: Reconciled): readonly string[] {
  const { status = 'none' } = after ?? {};
  const expected = after ? statuses.find((name) => history.some(({ event }) => event.endsWith(`.${name}`))) : 'none';
  const changed = Object.values(slots).filter(
    (slot) => before?.[slot] && Date.parse(String(before[slot])) !== Date.parse(String(after?.[slot])) + shiftedMs,
  );
  return [
    ...(status === expected ? [] : [`the status is ${status} and should be ${expected}`]),
    ...changed.map((slot) => `reconciliation has changed ${slot}`),
  ];
}

// The earliest receipt: not before the first try was sent, not after the first acknowledgement.
function slotErrors(value: unknown, slot: string, deliveries: readonly Delivery[]): readonly string[] {
  const acknowledgedMs = deliveries.flatMap((delivery) => delivery.acknowledgedMs ?? []);
  if (value === undefined) return acknowledgedMs.length > 0 ? [`lost: ${slot} was acknowledged and is missing`] : [];
  if (deliveries.length === 0) return [`${slot} has no event`];
  const earliestMs = Math.min(...deliveries.map(({ firstSentMs }) => firstSentMs));
  const isReceipt = isBetween(value, earliestMs, Math.min(...acknowledgedMs, Number.POSITIVE_INFINITY));
  return isReceipt ? [] : [`${slot} is not the earliest receipt`];
}

// A worker asks Argyle after an event has arrived, and receives the document of that time or a later one.
function documentErrors({ document, removedAt }: Item, history: History, nowMs: number): readonly string[] {
  if (removedAt !== undefined) return document === undefined ? [] : ['the document was not deleted after its removal'];
  // After a removal at Argyle a worker receives nothing, so the document may be of any earlier event.
  const isRemoved = history.at(-1)?.upload === undefined;
  const lastAsked = isRemoved ? -1 : history.findLastIndex(isAcknowledged);
  if (document === undefined) return lastAsked === -1 ? [] : ['lost: the document'];
  const versions = history.slice(Math.max(0, lastAsked)).flatMap(({ upload }) => upload ?? []);
  const { fetchedAt, ...rest } = document as Item;
  const isVersion = versions.some((version) => isDeepStrictEqual(rest, documentOf(version)));
  const firstSentMs = Math.min(
    ...history.flatMap(({ deliveries }) => deliveries.map((delivery) => delivery.firstSentMs)),
  );
  return [
    ...(isVersion ? [] : ['the document is older than the last event, or is none of its versions']),
    ...(isBetween(fetchedAt, firstSentMs, nowMs) ? [] : ['wrong fetchedAt']),
  ];
}

function isBetween(time: unknown, startMs: number, endMs: number): boolean {
  const timeMs = Date.parse(String(time));
  return timeMs >= startMs && timeMs <= endMs;
}

function documentOf({
  document_type,
  file_name,
  metadata,
  processing,
  updated_at,
}: NonNullable<UploadEvent['upload']>) {
  const { error } = (metadata.ocr_data ?? {}) as { readonly error?: string | object };
  const score = metadata.ocr_authenticity_score;
  return {
    type: document_type,
    fileName: file_name,
    processing,
    ocrErrors: error === undefined ? [] : [typeof error === 'string' ? error : JSON.stringify(error)],
    ...(score !== null && { authenticityScore: score }),
    updatedAt: updated_at,
  };
}
