import { createAgenda } from './agenda.ts';

/** What stands between Argyle and the queue: the throttle of the API, and how fast Lambda gets execution environments. */
export type FrontSetup = {
  /** A token bucket: so many requests a second, so many at once. */
  readonly perSecond: number;
  readonly burst: number;
  /** Execution environments of ingest at most, and how many of them in 10 s. */
  readonly concurrency: number;
  readonly environmentsIn10Seconds: number;
  readonly ingestMs: number;
  readonly coldStartMs: number;
  /** When Argyle tries once more what was not answered 200. */
  readonly retryAfterMs: number;
};

/** What became of the webhooks: `throttled` at their first try, `lost` at their second one too. */
export type FrontOutcome = { accepted: number; throttled: number; lost: number; mostEnvironments: number };

type Bucket = { tokens: number; readonly size: number; readonly perMs: number; filledMs: number };

/** Lets webhooks arrive at these times, ascending, and come back once when they are refused. */
export function simulateFront(setup: FrontSetup, arrivalsMs: Iterable<number>): FrontOutcome {
  const agenda = createAgenda();
  const outcome: FrontOutcome = { accepted: 0, throttled: 0, lost: 0, mostEnvironments: 0 };
  const gateway = bucketOf(setup.burst, setup.perSecond / 1_000);
  const starts = bucketOf(setup.environmentsIn10Seconds, setup.environmentsIn10Seconds / 10_000);
  let idle = 0;
  const begin = (): boolean => {
    const isCold = idle === 0;
    if (isCold && (outcome.mostEnvironments >= setup.concurrency || !take(starts, agenda.nowMs()))) return false;
    if (isCold) outcome.mostEnvironments += 1;
    else idle -= 1;
    agenda.at(agenda.nowMs() + setup.ingestMs + (isCold ? setup.coldStartMs : 0), () => {
      idle += 1;
    });
    return true;
  };
  const arrive = (isRetry: boolean): void => {
    if (take(gateway, agenda.nowMs()) && begin()) outcome.accepted += 1;
    else if (isRetry) outcome.lost += 1;
    else {
      outcome.throttled += 1;
      agenda.at(agenda.nowMs() + setup.retryAfterMs, () => arrive(true));
    }
  };
  for (const timeMs of arrivalsMs) agenda.at(timeMs, () => arrive(false));
  agenda.run();
  return outcome;
}

function bucketOf(size: number, perMs: number): Bucket {
  return { tokens: size, size, perMs, filledMs: 0 };
}

function take(bucket: Bucket, nowMs: number): boolean {
  bucket.tokens = Math.min(bucket.size, bucket.tokens + (nowMs - bucket.filledMs) * bucket.perMs);
  bucket.filledMs = nowMs;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}
