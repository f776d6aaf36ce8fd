import { setTimeout } from 'node:timers/promises';
import { LoggableError } from '../domain/loggable-error.ts';

/** Waits. Rejects as soon as the signal aborts. */
export type Sleep = (milliseconds: number, signal?: AbortSignal) => Promise<unknown>;

/** Resolves when the next request may start. */
export type Pace = () => Promise<void>;

export type RetryOptions = {
  readonly sleep: Sleep;
  /** Ends the retries when it aborts. */
  readonly signal?: AbortSignal;
  /** Default: 500 ms. Each further delay is twice as long. */
  readonly firstDelayMs?: number;
  /** Default: 10 s. A longer Retry-After is honoured. */
  readonly maxDelayMs?: number;
  /** Default: unlimited. */
  readonly maxTries?: number;
  /** Returns the time that is left. A longer delay throws an OutOfTimeError instead of waiting. Default: unlimited. */
  readonly remainingMs?: () => number;
};

/** A request failed. `isPassing`: a retry may succeed, `retryAfterSeconds` later at the earliest. */
export class RequestError extends LoggableError {
  override name = 'RequestError';
  readonly isPassing: boolean;
  readonly retryAfterSeconds: number;

  constructor(
    message: string,
    { isPassing, retryAfterSeconds = 0, code }: Pick<RequestError, 'isPassing'> & Partial<RequestError>,
  ) {
    super(message, code === undefined ? {} : { code });
    this.isPassing = isPassing;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The delay before the next try is longer than the time that is left. */
export class OutOfTimeError extends LoggableError {}

export const sleep: Sleep = (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal });

/**
 * Retries `work` with exponential backoff while it throws a passing RequestError, and honours Retry-After. `work` must be
 * idempotent. Throws its last error when the tries are used up or the signal aborts.
 */
export async function retryWhileUnavailable<Result>(
  work: () => Promise<Result>,
  options: RetryOptions,
): Promise<Result> {
  const { signal, firstDelayMs = 500, maxDelayMs = 10_000, maxTries = Number.POSITIVE_INFINITY } = options;
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RequestError && error.isPassing) || tries === maxTries || signal?.aborted) throw error;
      const backoffMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (tries - 1));
      const delayMs = Math.max(backoffMs, 1_000 * error.retryAfterSeconds);
      if (options.remainingMs && delayMs > options.remainingMs())
        throw new OutOfTimeError('There is no time left to wait for the next try.', { cause: error });
      await options.sleep(delayMs, signal).catch(() => Promise.reject(error));
    }
  }
}

/**
 * Creates a pace of at most `perSecond` starts in any second. Starts are evenly spaced, and unused ones are not saved up.
 * @param nowMs the clock, epoch milliseconds
 */
export function createPace(perSecond: number, nowMs: () => number, pause: Sleep): Pace {
  const intervalMs = 1_000 / perSecond;
  let nextMs = Number.NEGATIVE_INFINITY;
  return async () => {
    const startMs = Math.max(nowMs(), nextMs);
    nextMs = startMs + intervalMs;
    const delayMs = startMs - nowMs();
    if (delayMs > 0) await pause(delayMs);
  };
}
