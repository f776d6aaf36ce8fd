import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withTimeLimit } from '../../../functions/aws/deadline.ts';
import { ingestDeadlineMs } from '../../../functions/domain/secret-cache-times.ts';
import { createWebhookSecrets, type WebhookSecrets } from '../../../functions/ingest/webhook-secrets.ts';
import { createFakeStages, never } from '../../support/fakes/secret-stages.ts';

const startMs = Date.parse('2026-11-24T10:00:00.000Z');
const [second, minute, hour] = [1_000, 60_000, 3_600_000];

let stages: ReturnType<typeof createFakeStages>;
let secrets: WebhookSecrets;
beforeEach(() => {
  vi.useFakeTimers({ now: startMs });
  stages = createFakeStages();
  secrets = createWebhookSecrets(stages.readStage, Date.now);
  stages.put('AWSCURRENT', 'current');
});
afterEach(() => vi.useRealTimers());

const forged = 'forged';
const failing = { delayMs: 5, fails: true };
const passTime = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const reads = () => [stages.reads('AWSCURRENT'), stages.reads('AWSPENDING'), stages.reads('AWSPREVIOUS')];

/** Delivers a webhook within ingest's deadline. Returns the answer, `true` for accepted, `false` for refused, or an error. */
async function deliver(signer: string) {
  const startedMs = Date.now();
  let result: { readonly answer: boolean | string; readonly tookMs: number } | undefined;
  const verify = (deadline: AbortSignal) => secrets.verify((candidates) => candidates.includes(signer), deadline);
  withTimeLimit(ingestDeadlineMs, verify)
    .catch((error: Error) => error.message)
    .then((answer) => {
      result = { answer, tookMs: Date.now() - startedMs };
    });
  await passTime(0);
  while (!result) await vi.advanceTimersToNextTimerAsync();
  return result;
}
const answerTo = async (signer: string) => (await deliver(signer)).answer;
const timeOut = 'The time limit was reached.';

describe('a delivery that the current secret signed', () => {
  it('reads only that secret, once in 60 s', async () => {
    expect(await answerTo('current')).toBe(true);
    await passTime(minute - second);
    expect(await answerTo('current')).toBe(true);
    expect(reads()).toEqual([1, 0, 0]);
    await passTime(second);
    expect(await answerTo('current')).toBe(true);
    expect(reads()).toEqual([2, 0, 0]);
  });

  it.each([
    ['fails', failing, 5],
    ['gets no answer', { delayMs: never }, 2 * second],
    ['takes longer than 2 s', { delayMs: 3 * second }, 2 * second],
  ])('is accepted from the cache for 15 minutes, after at most 2 s, while reading %s', async (_, behaviour, tookMs) => {
    await answerTo('current');
    stages.behave(behaviour);
    await passTime(minute);
    expect(await deliver('current')).toEqual({ answer: true, tookMs });
    await passTime(13 * minute);
    expect(await deliver('current')).toEqual({ answer: true, tookMs });
  });

  it('is not accepted from a copy that is 15 minutes old', async () => {
    await answerTo('current');
    stages.behave(failing);
    await passTime(15 * minute);
    expect(await answerTo('current')).toBe('AWSCURRENT cannot be read');
  });

  it('is not delayed again within 10 s of a refresh that failed or takes long', async () => {
    await answerTo('current');
    stages.behave({ delayMs: never });
    await passTime(minute);
    await deliver('current');
    for (const ms of [0, 4 * second, 3 * second]) {
      await passTime(ms);
      expect((await deliver('current')).tookMs).toBeLessThanOrEqual(1);
    }
    expect(reads()).toEqual([2, 0, 0]);
    await passTime(second);
    expect(await deliver('current')).toEqual({ answer: true, tookMs: 2 * second });
    expect(reads()).toEqual([3, 0, 0]);
  });

  it('uses the result of a refresh that took longer than 2 s', async () => {
    await answerTo('current');
    stages.behave({ delayMs: 3 * second });
    await passTime(minute);
    await deliver('current');
    await passTime(second);
    stages.forget();
    expect(await deliver('current')).toEqual({ answer: true, tookMs: 0 });
    expect(reads()).toEqual([0, 0, 0]);
  });

  it('is answered within the deadline without a usable copy', async () => {
    stages.behave({ delayMs: never });
    expect(await deliver('current')).toEqual({ answer: timeOut, tookMs: ingestDeadlineMs });
  });

  it('is accepted without a copy when Secrets Manager takes 6 s', async () => {
    stages.behave({ delayMs: 6 * second });
    expect(await answerTo('current')).toBe(true);
  });
});

describe('without a usable copy', () => {
  it('a missing current secret is an error, even if there is a pending one', async () => {
    stages.put('AWSPENDING', 'pending');
    stages.remove('AWSCURRENT');
    expect(await answerTo('pending')).toContain('no current value');
  });

  it('reads the secret at most once a second while that fails', async () => {
    stages.behave(failing);
    for (let index = 0; index < 100; index += 1) {
      expect(await answerTo('current')).toBe('AWSCURRENT cannot be read');
      await passTime(100 - (Date.now() % 100));
    }
    expect(reads()).toEqual([10, 0, 0]);
  });

  it('concurrent deliveries share one read', async () => {
    expect(await Promise.all(Array.from({ length: 10 }, () => answerTo('current')))).toEqual(Array(10).fill(true));
    expect(reads()).toEqual([1, 0, 0]);
  });

  it('does not read after the deadline of the request', async () => {
    await expect(secrets.verify(() => true, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    expect(reads()).toEqual([0, 0, 0]);
  });
});

describe('reading ahead', () => {
  it('serves the requests of the first 60 s', async () => {
    secrets.readAhead();
    await passTime(minute - 1);
    expect(await answerTo('current')).toBe(true);
    expect(reads()).toEqual([1, 0, 0]);
  });

  it('that failed is repeated by the first request, once', async () => {
    stages.behave(failing);
    secrets.readAhead();
    expect(await answerTo('current')).toBe('AWSCURRENT cannot be read');
    expect(await answerTo('current')).toBe('AWSCURRENT cannot be read');
    expect(reads()).toEqual([2, 0, 0]);
  });

  it('that never ends, as when Lambda froze the function, is repeated', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout').mockReturnValueOnce(0 as never);
    stages.behave({ delayMs: never });
    secrets.readAhead();
    timers.mockRestore();
    stages.behave({ delayMs: 5 });
    await passTime(hour);
    expect(await deliver('current')).toEqual({ answer: true, tookMs: 5 });
  });
});

describe('a signature that matches no cached secret', () => {
  beforeEach(async () => {
    await answerTo('current');
    stages.forget();
  });

  it('is compared with all stages, read in this order: the current one, then the others', async () => {
    stages.put('AWSPENDING', 'pending');
    stages.put('AWSPREVIOUS', 'previous', startMs - hour);
    stages.behave({ delayMs: never }, 'AWSCURRENT');
    const answer = answerTo('pending');
    await passTime(second);
    expect(reads()).toEqual([1, 0, 0]);
    await answer;
    stages.behave({ delayMs: 5 });
    await passTime(10 * second);
    for (const signer of ['pending', 'previous', 'current']) expect(await answerTo(signer)).toBe(true);
    expect(reads()).toEqual([2, 1, 1]);
  });

  it('is accepted when the read takes 4 s, as after a lost first try of each call', async () => {
    stages.put('AWSPENDING', 'pending');
    stages.behave({ delayMs: 2_100 });
    expect(await deliver('pending')).toEqual({ answer: true, tookMs: 4_200 });
  });

  it('causes at most one read of all stages in 10 s', async () => {
    for (let index = 0; index < 100; index += 1) {
      expect(await answerTo(forged)).toBe(false);
      await passTime(100 - (Date.now() % 100));
    }
    expect(reads()).toEqual([1, 1, 1]);
    await passTime(5);
    expect(await answerTo(forged)).toBe(false);
    expect(reads()).toEqual([2, 2, 2]);
  });

  it.each(['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'] as const)(
    'is unknown, not refused, while %s cannot be read, and causes no more reads',
    async (stage) => {
      stages.behave(failing, stage);
      for (let index = 0; index < 99; index += 1) {
        expect(await answerTo(forged)).toBe(`${stage} cannot be read`);
        await passTime(100 - (Date.now() % 100));
      }
      expect(reads()[0]).toBe(1);
      await passTime(200);
      stages.behave({ delayMs: 5 });
      expect(await answerTo(forged)).toBe(false);
    },
  );

  it('causes one read when many of them arrive together', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => answerTo(forged)));
    expect(answers).toEqual(Array(10).fill(false));
    expect(reads()).toEqual([1, 1, 1]);
  });

  it('does not delay a delivery that the cached secret signed', async () => {
    stages.behave({ delayMs: never });
    const refused = answerTo(forged);
    await passTime(second);
    expect(await deliver('current')).toEqual({ answer: true, tookMs: 0 });
    expect(await refused).toBe(timeOut);
  });

  it('finds a new current secret, which is then the cached one', async () => {
    stages.put('AWSCURRENT', 'new');
    expect(await answerTo('new')).toBe(true);
    stages.forget();
    expect(await answerTo('new')).toBe(true);
    expect(await answerTo('current')).toBe(false);
    expect(reads()).toEqual([0, 0, 0]);
  });
});

describe('the pending and the previous secret', () => {
  beforeEach(async () => {
    stages.put('AWSPENDING', 'pending');
    stages.put('AWSPREVIOUS', 'previous', startMs - 100 * hour);
    await answerTo('pending');
    stages.forget();
  });

  it('are cached for 60 s', async () => {
    await passTime(minute - second);
    for (const signer of ['pending', 'previous']) expect(await answerTo(signer)).toBe(true);
    expect(reads()).toEqual([0, 0, 0]);
    await passTime(second);
    for (const signer of ['pending', 'previous']) expect(await answerTo(signer)).toBe(true);
    expect(reads()).toEqual([1, 1, 1]);
  });

  it.each([
    ['fails', failing],
    ['gets no answer', { delayMs: never }],
  ])('are accepted from the cache for 15 minutes, after at most 2 s, while reading %s', async (_, behaviour) => {
    stages.behave(behaviour);
    await passTime(14 * minute);
    for (const signer of ['pending', 'previous']) {
      const { answer, tookMs } = await deliver(signer);
      expect(answer).toBe(true);
      expect(tookMs).toBeLessThanOrEqual(2 * second);
      await passTime(10 * second);
    }
    await passTime(minute);
    expect(await answerTo('pending')).not.toBe(true);
  });

  it('are refused from 60 s after the removal of their stage, as after a leak', async () => {
    stages.remove('AWSPREVIOUS');
    await passTime(minute - second);
    expect(await answerTo('previous')).toBe(true);
    await passTime(second);
    expect(await answerTo('previous')).toBe(false);
  });

  it('the previous one is valid until 24 h after the creation of the current one', async () => {
    await passTime(24 * hour - second);
    expect(await answerTo('previous')).toBe(true);
    await passTime(second);
    expect(await answerTo('previous')).toBe(false);
  });

  it('a delivery is delayed by both refreshes together for at most 2 s', async () => {
    stages.behave({ delayMs: 1_900 }, 'AWSCURRENT');
    stages.put('AWSCURRENT', 'pending');
    stages.put('AWSPREVIOUS', 'current');
    await passTime(minute);
    expect(await deliver('current')).toEqual({ answer: true, tookMs: 2 * second });
  });
});
