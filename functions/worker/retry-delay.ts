const firstDelaySeconds = 5;
const maxDelaySeconds = 3_600;

/**
 * Returns the seconds until a message is received again: exponential backoff from 5 s to 1 h. The jitter `random` (0 to 1)
 * adds up to a quarter and never shortens a delay, so that 16 receives always take over six hours.
 * @param receiveCount how often the message was received, starting at 1
 * @param minSeconds the Retry-After of a service that is unavailable; limited to 1 h
 */
export function retryDelaySeconds(receiveCount: number, random: number, minSeconds = 0): number {
  const doubled = Math.max(minSeconds, firstDelaySeconds * 2 ** (receiveCount - 1));
  return Math.min(maxDelaySeconds, Math.round(doubled * (1 + random / 4)));
}
