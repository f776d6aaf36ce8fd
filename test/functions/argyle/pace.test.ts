import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPace } from '../../../functions/argyle/pace.ts';

describe('a pace', () => {
  test('lets at most so many begin in any second, whatever pauses there are', async () => {
    const pauses = fc.array(fc.nat(200), { minLength: 60, maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(pauses, async (pausesMs) => {
        const begun = await run(40, pausesMs);
        for (const [index, ms] of begun.entries()) {
          const inOneSecond = begun.slice(index).filter((other) => other < ms + 1_000).length;
          expect(inOneSecond).toBeLessThanOrEqual(40);
        }
      }),
    );
  });

  test('lets them begin as fast as it says when there are no pauses', async () => {
    const begun = await run(
      40,
      Array.from({ length: 401 }, () => 0),
    );
    expect(begun.at(-1)).toBe(10_000);
  });

  test('does not wait when the last one is long ago', async () => {
    expect(await run(40, [0, 1_000, 1_000])).toEqual([0, 1_000, 2_000]);
  });

  test('keeps those apart that come at the same time', async () => {
    let nowMs = 0;
    const waits: number[] = [];
    const pace = createPace(
      10,
      () => nowMs,
      async (ms) => waits.push(ms),
    );
    await Promise.all([pace(), pace(), pace()]);
    nowMs = 1_000;
    await pace();
    expect(waits).toEqual([100, 200]);
  });
});

// The times at which turns came, with these pauses before them.
async function run(perSecond: number, pausesMs: readonly number[]): Promise<number[]> {
  let nowMs = 0;
  const pace = createPace(
    perSecond,
    () => nowMs,
    async (ms) => {
      nowMs += ms;
    },
  );
  const begun: number[] = [];
  for (const pauseMs of pausesMs) {
    nowMs += pauseMs;
    await pace();
    begun.push(nowMs);
  }
  return begun;
}
