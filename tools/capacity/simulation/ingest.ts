import { createVirtualClock } from './virtual-clock.ts';

/** The limits between Argyle and the queues: the API's throttle and Lambda's concurrency. */
export type IngestSetup = {
  /** The token bucket of the throttle: its refill rate and its size. */
  readonly perSecond: number;
  readonly burst: number;
  /** Maximum number of ingest's execution environments. */
  readonly concurrency: number;
  readonly ingestMs: number;
  readonly coldStartMs: number;
  readonly retryAfterMs: number;
};

/** Simulates webhooks at the API. `throttled` ones are refused at the first try, `lost` ones also at their only retry. */
export function simulateIngest(setup: IngestSetup, arrivalsMs: Iterable<number>) {
  const clock = createVirtualClock();
  const outcome = { accepted: 0, throttled: 0, lost: 0, maxEnvironments: 0 };
  const takeRequest = tokenBucket(setup.burst, setup.perSecond, clock.nowMs);
  let idle = 0;
  const invoke = (): boolean => {
    const isCold = idle === 0;
    if (isCold && outcome.maxEnvironments >= setup.concurrency) return false;
    if (isCold) outcome.maxEnvironments += 1;
    else idle -= 1;
    clock.at(clock.nowMs() + setup.ingestMs + (isCold ? setup.coldStartMs : 0), () => {
      idle += 1;
    });
    return true;
  };
  const receive = (isRetry: boolean): void => {
    if (takeRequest() && invoke()) outcome.accepted += 1;
    else if (isRetry) outcome.lost += 1;
    else {
      outcome.throttled += 1;
      clock.at(clock.nowMs() + setup.retryAfterMs, () => receive(true));
    }
  };
  for (const timeMs of arrivalsMs) clock.at(timeMs, () => receive(false));
  clock.run();
  return outcome;
}

// Returns a function that takes one token and returns whether there was one.
function tokenBucket(size: number, perSecond: number, nowMs: () => number): () => boolean {
  let tokens = size;
  let filledMs = 0;
  return () => {
    tokens = Math.min(size, tokens + ((nowMs() - filledMs) * perSecond) / 1_000);
    filledMs = nowMs();
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
