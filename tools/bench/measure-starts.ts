import type { Start, StartOnce } from './start-once.ts';
import type { Variant } from './variants.ts';

/** The medians of a variant's starts. */
export type Measured = Start & { readonly variant: Variant };

/**
 * Starts each variant `rounds` times. All take turns, in an order that is drawn anew for each round: what else happens on the machine
 * hits all alike. Gives medians, since a busy machine's mean says nothing.
 */
export async function measureStarts(
  variants: readonly Variant[],
  rounds: number,
  startOnce: StartOnce,
  onRound: (round: number) => void,
): Promise<readonly Measured[]> {
  const starts = new Map<Variant, Start[]>(variants.map((variant) => [variant, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const variant of drawn(variants)) starts.get(variant)?.push(await startOnce(variant));
    onRound(round);
  }
  return [...starts].map(([variant, seen]) => ({ variant, ...mediansOf(seen) }));
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle));
}

function mediansOf(starts: readonly Start[]): Start {
  const of = (figure: keyof Start) => median(starts.map((start) => start[figure]));
  return {
    readyMs: of('readyMs'),
    readyCpuMs: of('readyCpuMs'),
    coldMs: of('coldMs'),
    coldCpuMs: of('coldCpuMs'),
    warmCpuUs: of('warmCpuUs'),
    firstPeakMegabytes: of('firstPeakMegabytes'),
    peakMegabytes: of('peakMegabytes'),
  };
}

function drawn<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, lot: Math.random() }))
    .sort((a, b) => a.lot - b.lot)
    .map(({ item }) => item);
}
