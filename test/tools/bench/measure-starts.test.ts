import { describe, expect, it } from 'vitest';
import { measureStarts, median } from '../../../tools/bench/measure-starts.ts';
import type { Start } from '../../../tools/bench/start-once.ts';
import type { Variant } from '../../../tools/bench/variants.ts';

const variants = ['one', 'other'].map(
  (name): Variant => ({ name, role: 'ingest', folder: '', environment: {}, servesOn: false }),
);

describe('measuring starts', () => {
  it('lets all variants take their turn in every round', async () => {
    const rounds: string[][] = [[]];
    await measureStarts(variants, 3, starting(rounds, [1]), () => rounds.push([]));
    expect(rounds.map((names) => names.toSorted())).toEqual([['one', 'other'], ['one', 'other'], ['one', 'other'], []]);
  });

  it('gives the medians of each variant, so that one slow start does not count', async () => {
    const measured = await measureStarts(variants, 3, starting([[]], [5, 400, 6]), () => undefined);
    expect(measured.map(({ variant, readyMs, coldMs }) => [variant.name, readyMs, coldMs])).toEqual([
      ['one', 6, 6],
      ['other', 6, 6],
    ]);
  });
});

describe('the median', () => {
  it.each([
    { values: [3, 1, 20], expected: 3 },
    { values: [3, 1, 20, 4], expected: 3.5 },
    { values: [7], expected: 7 },
  ])('of $values is $expected', ({ values, expected }) => {
    expect(median(values)).toBe(expected);
  });
});

// Each variant's starts take the given times, one after the other.
function starting(rounds: readonly string[][], times: readonly number[]) {
  const seen = new Map<string, number>();
  return async ({ name }: Variant): Promise<Start> => {
    const index = seen.get(name) ?? 0;
    seen.set(name, index + 1);
    rounds.at(-1)?.push(name);
    const ms = times[index % times.length] ?? 0;
    const figures = { readyMs: ms, readyCpuMs: ms, coldMs: ms, coldCpuMs: ms, warmCpuUs: ms };
    return { ...figures, firstPeakMegabytes: ms, peakMegabytes: ms };
  };
}
