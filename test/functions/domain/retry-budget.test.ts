import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isRetryOver,
  maxReceiveCount,
  retryDelaySeconds,
  visibilityTimeoutSeconds,
  workerTimeoutSeconds,
} from '../../../functions/domain/retry-budget.ts';

const sixHours = 6 * 3_600;
const anyReceiveCount = fc.integer({ min: 1, max: 2_000 });
const anyRandom = fc.double({ min: 0, max: 1, noNaN: true });

describe('retryDelaySeconds', () => {
  it('starts at 5 s and doubles up to an hour', () => {
    const delays = Array.from({ length: 16 }, (_, index) => retryDelaySeconds(index + 1, 0));
    const doubling = [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560];
    expect(delays).toEqual([...doubling, 3_600, 3_600, 3_600, 3_600, 3_600, 3_600]);
  });

  it('adds a jitter of up to a quarter', () => {
    expect(retryDelaySeconds(5, 0.5)).toBe(90);
    expect(retryDelaySeconds(5, 1)).toBe(100);
  });

  it('is the larger of the backoff and Retry-After, up to an hour', () => {
    const delays = [0, 39, 41, 3_600, 86_400].map((minSeconds) => retryDelaySeconds(4, 0, minSeconds));
    expect(delays).toEqual([40, 40, 41, 3_600, 3_600]);
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
});

describe('isRetryOver', () => {
  const sentMs = Date.parse('2026-11-24T10:00:00.123Z');

  it.each([
    [0, false],
    [sixHours * 1_000, false],
    [sixHours * 1_000 + 1, true],
  ])('%i ms after the message was sent: %s', (ageMs, isOver) => {
    expect(isRetryOver(sentMs, sentMs + ageMs)).toBe(isOver);
  });

  it('is false for a message whose time of sending is unknown', () => {
    expect(isRetryOver(Number.NaN, sentMs)).toBe(false);
  });
});

describe('maxReceiveCount', () => {
  // What ends a receive: the worker postpones the message (with this jitter), or does not, and the visibility time-out ends.
  const anyEnd = fc.oneof(fc.record({ jitter: anyRandom }), fc.constant('not postponed' as const));
  const secondsUntilNext = (end: { readonly jitter: number } | 'not postponed', receiveCount: number) =>
    end === 'not postponed' ? visibilityTimeoutSeconds : retryDelaySeconds(receiveCount, end.jitter);
  // SQS moves a message instead of receiving it once more than `receives` times.
  const secondsUntilMoved = (ends: readonly Parameters<typeof secondsUntilNext>[0][], receives: number) =>
    ends.slice(0, receives).reduce((sum, end, index) => sum + secondsUntilNext(end, index + 1), 0);

  it('sends no message to the dead-letter queue within six hours, whatever mixture of failures it meets', () => {
    const anyEnds = fc.array(anyEnd, { minLength: maxReceiveCount, maxLength: maxReceiveCount });
    const allCrash = Array.from({ length: maxReceiveCount }, () => 'not postponed' as const);
    const fastest = allCrash.map((crash, index) => (index < 6 ? { jitter: 0 } : crash));
    fc.assert(
      fc.property(anyEnds, (ends) => {
        expect(secondsUntilMoved(ends, maxReceiveCount)).toBeGreaterThan(sixHours);
      }),
      { examples: [[allCrash], [fastest]] },
    );
    // With one receive less, the fastest mixture would take less than six hours.
    expect(secondsUntilMoved(fastest, maxReceiveCount - 1)).toBeLessThan(sixHours);
  });

  it('moves a message that always crashes its worker within seven hours, and is a number that SQS accepts', () => {
    expect(maxReceiveCount * visibilityTimeoutSeconds).toBeLessThan(7 * 3_600);
    expect(maxReceiveCount).toBeLessThanOrEqual(1_000);
  });

  it('is derived from a visibility time-out of six times the time-out of a worker', () => {
    expect(visibilityTimeoutSeconds).toBe(6 * workerTimeoutSeconds);
  });
});
