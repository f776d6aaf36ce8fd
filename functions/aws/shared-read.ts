import { abortable, withTimeLimit } from './deadline.ts';

/** One read. A caller that waits for `result` must limit its own wait. */
export type ReadAttempt<Value> = { readonly startedMs: number; readonly result: Promise<Value> };

/** A value that was read, and when its read started. */
export type ReadValue<Value> = { readonly value: Value; readonly readAtMs: number };

/** A value that is stored outside of the function, and that concurrent callers read together. */
export type SharedRead<Value> = {
  /** Returns the last value that was read. It may be outdated. */
  readonly latest: () => ReadValue<Value> | undefined;
  /**
   * Returns the read in progress. Without one, it returns the last read if that started less than `minIntervalMs` ago, even if it
   * failed. Otherwise it starts a read.
   */
  readonly attempt: (minIntervalMs: number) => ReadAttempt<Value>;
  /** Stores a value that was read in another way, unless the stored one is newer. */
  readonly keep: (read: ReadValue<Value>) => void;
};

export type SharedReadOptions<Value> = {
  readonly read: (abortSignal: AbortSignal, startedMs: number) => Promise<Value>;
  /** The time limit of one read. It does not depend on the deadline of the caller that started the read. */
  readonly limitMs: number;
  readonly nowMs: () => number;
};

/**
 * Creates a read that concurrent callers share, and that keeps its last value. Lambda may freeze the function during a read: a read that
 * started longer ago than the time limit is not joined any more, and does not replace a newer value.
 */
export function createSharedRead<Value>({ read, limitMs, nowMs }: SharedReadOptions<Value>): SharedRead<Value> {
  let latest: ReadValue<Value> | undefined;
  let last: (ReadAttempt<Value> & { isRunning: boolean }) | undefined;

  const keep = (candidate: ReadValue<Value>) => {
    if (!latest || latest.readAtMs <= candidate.readAtMs) latest = candidate;
  };
  const start = () => {
    const startedMs = nowMs();
    const readOnce = async (limit: AbortSignal) => {
      const value = await abortable(read(limit, startedMs), limit);
      keep({ value, readAtMs: startedMs });
      return value;
    };
    const result = withTimeLimit(limitMs, readOnce).finally(() => {
      attempt.isRunning = false;
    });
    const attempt = { startedMs, result, isRunning: true };
    // Without this, a failure would be an unhandled rejection when no caller waits for the result any more.
    result.catch(() => undefined);
    return attempt;
  };

  return {
    latest: () => latest,
    attempt: (minIntervalMs) => {
      const isRecent = last && nowMs() - last.startedMs < Math.max(minIntervalMs, last.isRunning ? limitMs : 0);
      if (!last || !isRecent) last = start();
      return last;
    },
    keep,
  };
}
