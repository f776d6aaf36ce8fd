import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { abortable, withTimeLimit } from '../../../functions/aws/deadline.ts';

beforeAll(() => void vi.useFakeTimers());
afterAll(() => void vi.useRealTimers());

const never = new Promise<never>(() => undefined);

describe('withTimeLimit', () => {
  it('returns the result and clears its timer', async () => {
    expect(await withTimeLimit(1_000, async () => vi.getTimerCount())).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('rejects with the error of the work and clears its timer', async () => {
    await expect(withTimeLimit(1_000, () => Promise.reject(new Error('it failed')))).rejects.toThrow('it failed');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('aborts the signal at the limit', async () => {
    const working = withTimeLimit(1_000, (deadline) => abortable(never, deadline));
    vi.advanceTimersByTime(999);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1);
    await expect(working).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('abortable', () => {
  it('returns the result or rejects with the error of the work', async () => {
    const { signal } = new AbortController();
    expect(await abortable(Promise.resolve('done'), signal)).toBe('done');
    await expect(abortable(Promise.reject(new Error('it failed')), signal)).rejects.toThrow('it failed');
  });

  it("rejects with the signal's reason when the signal aborts", async () => {
    const controller = new AbortController();
    const waiting = abortable(never, controller.signal);
    controller.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
  });

  it('rejects when the signal has already aborted, even if the work is done', async () => {
    await expect(abortable(Promise.resolve('done'), AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  });

  it('ignores a later error of the work', async () => {
    const failing = Promise.withResolvers<never>();
    const waiting = abortable(failing.promise, AbortSignal.abort());
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    failing.reject(new Error('later'));
    await expect(failing.promise).rejects.toThrow('later');
  });
});
