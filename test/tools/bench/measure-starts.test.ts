import { expect, test, vi } from 'vitest';
import { measureStarts, median } from '../../../tools/bench/measure-starts.ts';
import type { Variant } from '../../../tools/bench/variants.ts';

vi.spyOn(console, 'error').mockReturnValue();

test('all variants take their turn in every round, and a slow start does not change the medians', async () => {
  const variants = ['one', 'other'].map((name): Variant => ({ name, role: 'ingest', folder: '' }));
  const started: string[] = [];
  const measured = await measureStarts(variants, 3, async ({ name }) => {
    started.push(name);
    const ms = [5, 400, 6][Math.floor((started.length - 1) / 2)] ?? 0;
    const cpu = { readyCpuMs: ms, coldCpuMs: ms, warmCpuUs: ms };
    return { readyMs: ms, coldMs: ms + 1, ...cpu, firstPeakKilobytes: ms, peakKilobytes: ms };
  });

  const rounds = [0, 2, 4].map((first) => started.slice(first, first + 2).toSorted());
  expect(rounds).toEqual([1, 2, 3].map(() => ['one', 'other']));
  const medians = measured.map(({ variant, readyMs, coldMs }) => [variant.name, readyMs, coldMs]);
  expect(medians).toEqual([
    ['one', 6, 7],
    ['other', 6, 7],
  ]);
});

test.each([
  [[3, 1, 20], 3],
  [[3, 1, 20, 4], 3.5],
  [[7], 7],
])('the median of %j is %d', (values, expected) => {
  expect(median(values)).toBe(expected);
});
