import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryDelaySeconds } from '../../../functions/worker/retry-delay.ts';

// A queue's maxReceiveCount; the message goes to the dead-letter queue instead of being received once more.
const receives = 16;
const anyReceiveCount = fc.integer({ min: 1, max: 2_000 });
const anyRandom = fc.double({ min: 0, max: 1, noNaN: true });

describe('retryDelaySeconds', () => {
  it('starts at 5 s, doubles, and stays at an hour', () => {
    const delays = Array.from({ length: receives }, (_, index) => retryDelaySeconds(index + 1, 0));
    const doubling = [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560];
    expect(delays).toEqual([...doubling, 3_600, 3_600, 3_600, 3_600, 3_600, 3_600]);
  });

  it('adds up to a quarter by chance', () => {
    expect(retryDelaySeconds(5, 0.5)).toBe(90);
    expect(retryDelaySeconds(5, 1)).toBe(100);
  });

  it('is never over an hour, never shorter than without chance, and always whole seconds', () => {
    fc.assert(
      fc.property(anyReceiveCount, anyRandom, (receiveCount, random) => {
        const delay = retryDelaySeconds(receiveCount, random);
        expect(delay).toBeLessThanOrEqual(3_600);
        expect(delay).toBeGreaterThanOrEqual(Math.min(3_600, 5 * 2 ** (receiveCount - 1)));
        expect(Number.isInteger(delay)).toBe(true);
      }),
      {
        examples: [
          [10, 1],
          [11, 0],
          [2_000, 1],
        ],
      },
    );
  });

  it('keeps a message that fails 16 times out of the dead-letter queue for over six hours, even without luck', () => {
    const waits = Array.from({ length: receives - 1 }, (_, index) => retryDelaySeconds(index + 1, 0));
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(6 * 3_600);
  });
});
