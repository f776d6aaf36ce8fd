import type { Happening } from './lives.ts';
import { type Item, isAcknowledged, slots } from './oracle.ts';

/** The record of one upload when all webhooks were over, and when it was reconciled; what is written is then `shiftedMs` older. */
export type Reconciled = {
  readonly before: Item | undefined;
  readonly after: Item | undefined;
  readonly shiftedMs: number;
};

/**
 * What became of an event that was never acknowledged. `kept`: it had arrived all the same, only our answer had not. `found`: by
 * reconciliation. `superseded`: Argyle shows a later success of OCR instead. `of a removed document`: Argyle shows nothing of it.
 */
export type Fate = 'kept' | 'found' | 'superseded' | 'of a removed document' | 'MISSING';

const [added, removed, completed, failed] = [
  'user_uploads.added',
  'user_uploads.removed',
  'user_uploads.ocr_completed',
  'user_uploads.ocr_failed',
];

/** The fate of each event in an upload's life that was never acknowledged. */
export function fatesOf(
  life: readonly Happening[],
  { before, after }: Reconciled,
): readonly (readonly [string, Fate])[] {
  const isRemoved = life.some(({ event }) => event === removed);
  const isCompleted = life.some(({ event }) => event === completed);
  const fateOf = (event: string): Fate => {
    const slot = slots[event] ?? '';
    if (before?.[slot]) return 'kept';
    if (after?.[slot]) return 'found';
    if (isRemoved && (after?.removedAt || !after)) return 'of a removed document';
    return event === failed && isCompleted && after?.ocrCompletedAt ? 'superseded' : 'MISSING';
  };
  return life.filter((happening) => !isAcknowledged(happening)).map(({ event }) => [event, fateOf(event)]);
}

/** What reconciliation has done wrong with the record of an upload: to its status, or to what a webhook had told. */
export function wrongAfter(life: readonly Happening[], { before, after, shiftedMs }: Reconciled): readonly string[] {
  const { status = 'none' } = after ?? {};
  const expected = after ? statusOf(life) : 'none';
  const changed = Object.values(slots).filter(
    (slot) => before?.[slot] && Date.parse(String(before[slot])) !== Date.parse(String(after?.[slot])) + shiftedMs,
  );
  return [
    ...(status === expected ? [] : [`the status is ${status} and should be ${expected}`]),
    ...changed.map((slot) => `reconciliation has changed ${slot}`),
  ];
}

function statusOf(life: readonly Happening[]): string {
  const [event] = [removed, completed, failed, added].filter((name) =>
    life.some((happening) => happening.event === name),
  );
  return String(event).replace('user_uploads.', '');
}
