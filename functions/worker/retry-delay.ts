const firstDelaySeconds = 5;
const longestDelaySeconds = 3_600;

/**
 * Seconds to wait before a message is received again: 5 s, doubling to 1 h. `random` (0 to 1) lengthens a wait by
 * up to a quarter and never shortens it, so 16 receives always span over six hours.
 * @param receiveCount how often the message was received, counted from 1
 * @param atLeastSeconds what a busy service asked for with Retry-After; at most 1 h of it is granted
 */
export function retryDelaySeconds(receiveCount: number, random: number, atLeastSeconds = 0): number {
  const doubled = Math.max(atLeastSeconds, firstDelaySeconds * 2 ** (receiveCount - 1));
  return Math.min(longestDelaySeconds, Math.round(doubled * (1 + random / 4)));
}
