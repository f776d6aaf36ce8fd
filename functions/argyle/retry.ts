import { setTimeout } from 'node:timers/promises';
import { LoggableError } from '../domain/loggable-error.ts';

/** Resolves after a delay. Rejects as soon as the signal aborts. */
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
  /** Returns the remaining time. A longer delay throws an OutOfTimeError instead of waiting. Default: unlimited. */
  readonly remainingMs?: () => number;
};

/** A failed request. `isTransient`: a retry may succeed, but not before `retryAfterSeconds` have passed. */
export class RequestError extends LoggableError {
  override name = 'RequestError';
  readonly isTransient: boolean;
  readonly retryAfterSeconds: number;

  constructor(
    message: string,
    { isTransient, retryAfterSeconds = 0, code }: Pick<RequestError, 'isTransient'> & Partial<RequestError>,
  ) {
    super(message, code === undefined ? {} : { code });
    this.isTransient = isTransient;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Thrown when the delay before the next try exceeds the remaining time. */
export class OutOfTimeError extends LoggableError {}

export const sleep: Sleep = (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal });

/**
 * Retries `work` with exponential backoff while it throws a transient RequestError, and honours Retry-After. `work` must
 * be idempotent. Throws the last error of `work` when it is not transient, the tries are used up or the signal aborts.
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
      if (!(error instanceof RequestError && error.isTransient) || tries === maxTries || signal?.aborted) throw error;
      const backoffMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (tries - 1));
      const delayMs = Math.max(backoffMs, 1_000 * error.retryAfterSeconds);
      if (options.remainingMs && delayMs > options.remainingMs())
        throw new OutOfTimeError('There is no time left to wait for the next try.', { cause: error });
      await options.sleep(delayMs, signal).catch(() => Promise.reject(error));
    }
  }
}

/**
 * Creates a rate limiter that permits at most `perSecond` starts in any second. Starts are evenly spaced, and unused starts do not
 * accumulate.
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
