import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createPace,
  OutOfTimeError,
  RequestError,
  type RetryOptions,
  retryWhileUnavailable,
  sleep,
} from '../../../functions/argyle/retry.ts';

const passing = (retryAfterSeconds = 0) => new RequestError('busy', { isTransient: true, retryAfterSeconds });

describe('a retry', () => {
  test('starts after 500 ms, doubles the delay up to 10 s, and ends with the first success', async () => {
    const { outcome, delaysMs } = await run([...Array.from({ length: 7 }, () => passing()), 'done']);
    expect(outcome).toBe('done');
    expect(delaysMs).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  test('honours a Retry-After that is longer than the backoff', async () => {
    expect((await run([passing(7), passing(), passing(30), 'done'])).delaysMs).toEqual([7_000, 1_000, 30_000]);
  });

  test('keeps its own backoff when Retry-After is 0 or shorter', async () => {
    expect((await run([passing(0), passing(0), passing(1), 'done'])).delaysMs).toEqual([500, 1_000, 2_000]);
  });

  test('uses the configured delays and number of tries, then throws the last error', async () => {
    const last = passing();
    const limits = { firstDelayMs: 100, maxDelayMs: 150, maxTries: 4 };
    const { outcome, delaysMs } = await run([passing(), passing(), passing(), last, 'done'], limits);
    expect(outcome).toBe(last);
    expect(delaysMs).toEqual([100, 150, 150]);
  });

  test.each([new Error('a bug'), new RequestError('refused', { isTransient: false })])(
    'does not happen after %o',
    async (error) => {
      expect(await run([error, 'done'])).toEqual({ outcome: error, delaysMs: [] });
    },
  );

  test('does not wait longer than the time that is left', async () => {
    const { outcome, delaysMs } = await run([passing(3), passing(3), 'done'], { remainingMs: () => 3_000 });
    expect([outcome, delaysMs]).toEqual(['done', [3_000, 3_000]]);
    const late = await run([passing(3), 'done'], { remainingMs: () => 2_999 });
    expect(late.outcome).toBeInstanceOf(OutOfTimeError);
    expect(late.delaysMs).toEqual([]);
  });

  test('ends with the last error of the work when the signal aborts, before or during a delay', async () => {
    const error = passing();
    expect(await run([error, 'done'], { signal: AbortSignal.abort() })).toEqual({ outcome: error, delaysMs: [] });
    const during = new AbortController();
    const aborting: RetryOptions['sleep'] = (milliseconds, signal) => {
      const sleeping = sleep(60_000 + milliseconds, signal);
      during.abort();
      return sleeping;
    };
    expect((await run([error, 'done'], { signal: during.signal, sleep: aborting })).outcome).toBe(error);
  });
});

describe('a pace', () => {
  test('permits at most its number of starts in any second, with any pauses in between', async () => {
    const pauses = fc.array(fc.nat(200), { minLength: 60, maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(pauses, async (pausesMs) => {
        const startsMs = await startAtPace(pausesMs);
        for (const [index, ms] of startsMs.entries())
          expect(startsMs.slice(index).filter((other) => other < ms + 1_000).length).toBeLessThanOrEqual(40);
      }),
    );
  });

  test('permits its full number of starts when there are no pauses', async () => {
    expect((await startAtPace(Array.from({ length: 401 }, () => 0))).at(-1)).toBe(10_000);
  });

  test('does not delay a start long after the last one', async () => {
    expect(await startAtPace([0, 1_000, 1_000])).toEqual([0, 1_000, 2_000]);
  });

  test('separates starts that are requested at the same time', async () => {
    let nowMs = 0;
    const delaysMs: number[] = [];
    const pace = createPace(
      10,
      () => nowMs,
      async (ms) => delaysMs.push(ms),
    );
    await Promise.all([pace(), pace(), pace()]);
    nowMs = 1_000;
    await pace();
    expect(delaysMs).toEqual([100, 200]);
  });
});

/** Retries work that throws each error and returns the first other outcome. */
async function run(outcomes: readonly unknown[], options: Partial<RetryOptions> = {}) {
  const left = [...outcomes];
  const delaysMs: number[] = [];
  const work = async () => {
    const outcome = left.shift();
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  const recordDelay = async (ms: number) => delaysMs.push(ms);
  const outcome = await retryWhileUnavailable(work, { sleep: recordDelay, ...options }).catch((error) => error);
  return { outcome, delaysMs };
}

/** Returns the times of starts at 40 a second that follow these pauses. */
async function startAtPace(pausesMs: readonly number[]): Promise<number[]> {
  let nowMs = 0;
  const pass = async (ms: number) => {
    nowMs += ms;
  };
  const pace = createPace(40, () => nowMs, pass);
  const startsMs: number[] = [];
  for (const pauseMs of pausesMs) {
    await pass(pauseMs);
    await pace();
    startsMs.push(nowMs);
  }
  return startsMs;
}
