import type { Delivery } from './argyle.ts';

type Item = Readonly<Record<string, unknown>>;

// Written out by hand, as design.md has them: the oracle shares no code with the product.
const slots: Readonly<Record<string, string>> = {
  'user_uploads.added': 'addedAt',
  'user_uploads.removed': 'removedAt',
  'user_uploads.ocr_completed': 'ocrCompletedAt',
  'user_uploads.ocr_failed': 'ocrFailedAt',
  'user_uploads.ocr_authenticity': 'authenticityAt',
};
const retentionSeconds = 90 * 24 * 60 * 60;

/** What is wrong with one upload's record, given all its deliveries. Empty when all is well. */
export function wrongWith(record: Item | undefined, deliveries: readonly Delivery[]): readonly string[] {
  const acknowledged = deliveries.filter(({ acknowledgedMs }) => acknowledgedMs !== undefined);
  if (!record) return acknowledged.length > 0 ? ['lost: there is no record'] : [];
  const { ids } = deliveries[0] as Delivery;
  const identity = (['userUpload', 'account', 'user'] as const).filter((name) => record[name] !== ids[name]);
  const known = new Set(['userUpload', 'account', 'user', 'expiresAt', ...Object.values(slots)]);
  return [
    ...identity.map((name) => `wrong ${name}`),
    ...Object.keys(record)
      .filter((name) => !known.has(name))
      .map((name) => `unexpected ${name}`),
    ...Object.entries(slots).flatMap(([event, slot]) =>
      wrongWithSlot(
        record[slot],
        slot,
        deliveries.filter((of) => of.event === event),
      ),
    ),
    ...wrongWithExpiry(record),
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
