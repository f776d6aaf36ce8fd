// How long a message is retried before it becomes a dead letter. The queues, the workers and the capacity simulation use these
// numbers. Decision 012 explains the mechanism.

const retryBudgetMs = 6 * 3_600_000;

const firstDelaySeconds = 5;
const maxDelaySeconds = 3_600;

/** The time-out of a worker. A batch has 20 s; its failed messages are postponed, or sent to the dead-letter queue, in 6.5 s more. */
export const workerTimeoutSeconds = 30;

/**
 * The visibility time-out of an event's queue. AWS recommends six times the function's time-out, so that no message becomes
 * visible while it is processed.
 */
export const visibilityTimeoutSeconds = 6 * workerTimeoutSeconds;

/**
 * The number of receives after which SQS itself moves a message to the dead-letter queue. This affects only a message that its
 * worker can neither postpone nor give up, for example because the worker crashes, times out, is throttled or lacks a permission.
 * Such a message is received again after the visibility time-out.
 */
export const maxReceiveCount = receivesWithinBudget();

/** Whether a message was sent to its queue over six hours ago (`sentMs`), so that its worker gives it up instead of retrying it. */
export function isRetryOver(sentMs: number, nowMs: number): boolean {
  return nowMs - sentMs > retryBudgetMs;
}

/**
 * Returns the seconds until a message is received again: exponential backoff from 5 s to 1 h. The jitter `random` (0 to 1)
 * adds up to a quarter and never shortens a delay.
 * @param receiveCount how often the message was received, starting at 1
 * @param minSeconds the Retry-After of a service that is unavailable; limited to 1 h
 */
export function retryDelaySeconds(receiveCount: number, random: number, minSeconds = 0): number {
  const doubled = Math.max(minSeconds, firstDelaySeconds * 2 ** (receiveCount - 1));
  return Math.min(maxDelaySeconds, Math.round(doubled * (1 + random / 4)));
}

// The shortest time between two receives is the visibility time-out, or a worker's backoff where that is shorter. Any mixture of
// postponed and other receives therefore takes at least the sum of these.
function receivesWithinBudget(): number {
  let receives = 0;
  for (let passedMs = 0; passedMs <= retryBudgetMs; receives += 1)
    passedMs += 1_000 * Math.min(visibilityTimeoutSeconds, retryDelaySeconds(receives + 1, 0));
  return receives;
}
