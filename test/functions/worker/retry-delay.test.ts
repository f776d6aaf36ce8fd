import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryDelaySeconds } from '../../../functions/worker/retry-delay.ts';

// A queue's maxReceiveCount. After it, the message goes to the dead-letter queue.
const receives = 16;
const anyReceiveCount = fc.integer({ min: 1, max: 2_000 });
const anyRandom = fc.double({ min: 0, max: 1, noNaN: true });

describe('retryDelaySeconds', () => {
  it('starts at 5 s and doubles up to an hour', () => {
    const delays = Array.from({ length: receives }, (_, index) => retryDelaySeconds(index + 1, 0));
    const doubling = [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560];
    expect(delays).toEqual([...doubling, 3_600, 3_600, 3_600, 3_600, 3_600, 3_600]);
  });

  it('adds a jitter of up to a quarter', () => {
    expect(retryDelaySeconds(5, 0.5)).toBe(90);
    expect(retryDelaySeconds(5, 1)).toBe(100);
  });

  it('returns whole seconds of at most an hour, and never less than without jitter', () => {
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

  it('is the larger of the backoff and Retry-After, up to an hour', () => {
    const delays = [0, 39, 41, 3_600, 86_400].map((minSeconds) => retryDelaySeconds(4, 0, minSeconds));
    expect(delays).toEqual([40, 40, 41, 3_600, 3_600]);
  });

  it('takes over six hours for 16 receives, even without jitter', () => {
    const waits = Array.from({ length: receives - 1 }, (_, index) => retryDelaySeconds(index + 1, 0));
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(6 * 3_600);
  });
});
