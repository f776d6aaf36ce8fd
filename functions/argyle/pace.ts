/** Resolves when the next request may begin. */
export type Pace = () => Promise<void>;

/** Waits so many milliseconds; in tests it only says that they have passed. */
export type Wait = (milliseconds: number) => Promise<unknown>;

/**
 * Gives a pace of at most `perSecond` in any second: turns are evenly apart, and what is not used is not saved up.
 * @param nowMs the clock, epoch milliseconds
 */
export function createPace(perSecond: number, nowMs: () => number, wait: Wait): Pace {
  const betweenMs = 1_000 / perSecond;
  let nextMs = Number.NEGATIVE_INFINITY;
  return async () => {
    const turnMs = Math.max(nowMs(), nextMs);
    nextMs = turnMs + betweenMs;
    const waitMs = turnMs - nowMs();
    if (waitMs > 0) await wait(waitMs);
  };
}
