import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { abortable, withTimeLimit } from '../../../functions/aws/deadline.ts';

beforeAll(() => void vi.useFakeTimers());
afterAll(() => void vi.useRealTimers());

describe('work within a deadline', () => {
  test('gives what it comes to, and leaves no clock running', async () => {
    expect(await withTimeLimit(1_000, async () => vi.getTimerCount())).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('fails as it fails, and leaves no clock running', async () => {
    await expect(withTimeLimit(1_000, () => Promise.reject(new Error('it failed')))).rejects.toThrow('it failed');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is told when its time is up', async () => {
    const working = withTimeLimit(1_000, (deadline) => abortable(never(), deadline));
    vi.advanceTimersByTime(999);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1);
    await expect(working).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('work that is waited for until a signal aborts', () => {
  test('gives what it comes to, or fails as it fails', async () => {
    const { signal } = new AbortController();
    expect(await abortable(Promise.resolve('done'), signal)).toBe('done');
    await expect(abortable(Promise.reject(new Error('it failed')), signal)).rejects.toThrow('it failed');
  });

  test("fails with the signal's reason once it aborts", async () => {
    const controller = new AbortController();
    const waiting = abortable(never(), controller.signal);
    controller.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
  });

  test('is not waited for when the signal has aborted before, not even if it is done', async () => {
    await expect(abortable(Promise.resolve('done'), AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  });

  test('may fail later, and nothing comes of it', async () => {
    const failing = Promise.withResolvers<never>();
    const waiting = abortable(failing.promise, AbortSignal.abort());
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    failing.reject(new Error('later'));
    await expect(failing.promise).rejects.toThrow('later');
  });
});

function never(): Promise<never> {
  return new Promise(() => undefined);
}
