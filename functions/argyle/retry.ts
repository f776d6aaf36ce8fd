import { isArgyleRefusal } from './argyle-error.ts';

/** Waits; rejects as soon as the signal aborts. */
export type Sleep = (milliseconds: number, signal: AbortSignal) => Promise<void>;

const firstPauseMs = 500;
const longestPauseMs = 10_000;

/** Waits by the clock of the machine. */
export const sleep: Sleep = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const give = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', give);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', give, { once: true });
  });

/**
 * Does the work again while Argyle is unavailable, with longer and longer pauses and never sooner than it asks for.
 * The work has to bear being repeated from its beginning. Throws its last error when the time is over.
 */
export async function retryWhileUnavailable<Result>(
  work: () => Promise<Result>,
  pause: Sleep,
  signal: AbortSignal,
): Promise<Result> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, 2 * pauseMs)) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !isArgyleRefusal(error) || !error.isPassing) throw error;
      const aborted = await pause(Math.max(pauseMs, error.retryAfterSeconds * 1_000), signal).then(
        () => false,
        () => true,
      );
      if (aborted) throw error;
    }
  }
}
