import { isDeepStrictEqual } from 'node:util';
import type { Delivery, Happening } from './lives.ts';

/** A record as the table has it. */
export type Item = Readonly<Record<string, unknown>>;

/** Written out by hand, as design.md has them: the oracle shares no code with the product. */
export const slots: Readonly<Record<string, string>> = {
  'user_uploads.added': 'addedAt',
  'user_uploads.removed': 'removedAt',
  'user_uploads.ocr_completed': 'ocrCompletedAt',
  'user_uploads.ocr_failed': 'ocrFailedAt',
  'user_uploads.ocr_authenticity': 'authenticityAt',
};
const retentionSeconds = 90 * 24 * 60 * 60;

/** Whether we said of one of the event's deliveries that we have it. */
export function isAcknowledged({ deliveries }: Happening): boolean {
  return deliveries.some(({ acknowledgedMs }) => acknowledgedMs !== undefined);
}

/** What is wrong with one upload's record, given all that happened to it, in order. Empty when all is well. */
export function wrongWith(record: Item | undefined, life: readonly Happening[]): readonly string[] {
  if (!record) return life.some(isAcknowledged) ? ['lost: there is no record'] : [];
  const ids = life[0]?.ids;
  const identity = (['userUpload', 'account', 'user'] as const).filter((name) => record[name] !== ids?.[name]);
  const known = new Set(['userUpload', 'account', 'user', 'expiresAt', 'document', ...Object.values(slots)]);
  return [
    ...identity.map((name) => `wrong ${name}`),
    ...Object.keys(record)
      .filter((name) => !known.has(name))
      .map((name) => `unexpected ${name}`),
    ...Object.entries(slots).flatMap(([event, slot]) => {
      const deliveries = life.filter((happening) => happening.event === event).flatMap((of) => of.deliveries);
      return wrongWithSlot(record[slot], slot, deliveries);
    }),
    ...wrongWithExpiry(record),
    ...wrongWithDocument(record, life),
  ];
}

// The earliest receipt: not before the first try was sent, not after the first acknowledgement.
function wrongWithSlot(value: unknown, slot: string, deliveries: readonly Delivery[]): readonly string[] {
  const acknowledgedMs = deliveries.flatMap((delivery) => delivery.acknowledgedMs ?? []);
  if (value === undefined) return acknowledgedMs.length > 0 ? [`lost: ${slot} was acknowledged and is missing`] : [];
  if (deliveries.length === 0) return [`${slot} came from nowhere`];
  const timeMs = Date.parse(String(value));
  const earliestMs = Math.min(...deliveries.map(({ firstSentMs }) => firstSentMs));
  const isInTime = timeMs >= earliestMs && timeMs <= Math.min(...acknowledgedMs, Number.POSITIVE_INFINITY);
  return isInTime ? [] : [`${slot} is not the earliest receipt`];
}

function wrongWithExpiry({ removedAt, expiresAt }: Item): readonly string[] {
  const expected =
    removedAt === undefined ? undefined : Math.floor(Date.parse(String(removedAt)) / 1_000) + retentionSeconds;
  return expiresAt === expected ? [] : ['wrong expiresAt'];
}

// Argyle is asked after each event has arrived: the answer is what it had then, or later.
function wrongWithDocument({ document, removedAt }: Item, life: readonly Happening[]): readonly string[] {
  if (removedAt !== undefined) return document === undefined ? [] : ['the document outlived its removal'];
  // There is no answer any more once Argyle has removed it, so any version may have been the last.
  const isRemoved = life.at(-1)?.upload === undefined;
  const asked = isRemoved ? -1 : life.findLastIndex(isAcknowledged);
  if (document === undefined) return asked === -1 ? [] : ['lost: the document'];
  const versions = life.slice(Math.max(0, asked)).flatMap(({ upload }) => upload ?? []);
  const { fetchedAt, ...rest } = document as Item;
  const isOne = versions.some((version) => isDeepStrictEqual(rest, documentOf(version)));
  const firstMs = Math.min(...life.flatMap(({ deliveries }) => deliveries).map(({ firstSentMs }) => firstSentMs));
  const isInTime = Date.parse(String(fetchedAt)) >= firstMs && Date.parse(String(fetchedAt)) <= Date.now();
  return [
    ...(isOne ? [] : ['the document is older than the last event, or is none of its versions']),
    ...(isInTime ? [] : ['wrong fetchedAt']),
  ];
}

function documentOf({ document_type, file_name, metadata, processing, updated_at }: NonNullable<Happening['upload']>) {
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
