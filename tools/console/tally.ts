import { ingestMetrics, ingestService, workerMetrics } from '../../functions/domain/metric-names.ts';
import type { Funnel, LaneCounts, Throughput } from './page/view.ts';
import type { MetricLine } from './printed-line.ts';

/** How many seconds of throughput are kept. */
export const keptSeconds = 120;

/** Sums of the metrics that the functions printed. */
export type Tally = ReturnType<typeof createTally>;

type Second = { received: number; applied: number };

/** Starts at zero. It grows with the number of metrics, never with that of webhooks. */
export function createTally(nowMs: () => number) {
  const sums = new Map<string, number>();
  const seconds = new Map<number, Second>();
  let lastWebhookAt: string | null = null;
  const sum = (service: string, metric: string): number => sums.get(`${service} ${metric}`) ?? 0;
  return {
    /** Adds what a request or a batch printed. */
    note: ({ service, timeMs, metrics }: MetricLine): void => {
      for (const [metric, value] of Object.entries(metrics))
        sums.set(`${service} ${metric}`, sum(service, metric) + value);
      noteSecond(seconds, Math.floor(nowMs() / 1_000), service, metrics);
      if (service === ingestService && metrics[ingestMetrics.accepted]) lastWebhookAt = new Date(timeMs).toISOString();
    },
    /** The ISO time of the last accepted webhook, or null. */
    lastWebhookAt: (): string | null => lastWebhookAt,
    /** What became of all webhooks so far; `services` are the workers'. */
    funnel: (services: readonly string[]): Funnel => funnelOf(sum, services),
    /** What the worker of an event did so far. */
    lane: (event: string): LaneCounts => ({
      applied: sum(event, workerMetrics.applied),
      repeated: sum(event, workerMetrics.stale),
      retried: sum(event, workerMetrics.retryable),
      givenUp: sum(event, workerMetrics.permanent),
    }),
    /** Webhooks a second, the oldest first, the current second last. */
    throughput: (): Throughput => {
      const current = Math.floor(nowMs() / 1_000);
      const kept = Array.from({ length: keptSeconds }, (_, index) => seconds.get(current - keptSeconds + 1 + index));
      return {
        received: kept.map((second) => second?.received ?? 0),
        applied: kept.map((second) => second?.applied ?? 0),
      };
    },
  };
}

function noteSecond(
  seconds: Map<number, Second>,
  current: number,
  service: string,
  metrics: Readonly<Record<string, number>>,
): void {
  const second = seconds.get(current) ?? { received: 0, applied: 0 };
  const total = (names: Readonly<Record<string, string>>) =>
    Object.values(names).reduce((sum, name) => sum + (metrics[name] ?? 0), 0);
  if (service === ingestService) second.received += total(ingestMetrics);
  else second.applied += total({ applied: workerMetrics.applied, stale: workerMetrics.stale });
  seconds.set(current, second);
  for (const old of seconds.keys()) if (old <= current - keptSeconds) seconds.delete(old);
}

// The same steps as the dashboard's.
function funnelOf(sum: (service: string, metric: string) => number, services: readonly string[]): Funnel {
  const ingest = (outcome: keyof typeof ingestMetrics) => sum(ingestService, ingestMetrics[outcome]);
  const worked = (metric: string) => services.reduce((total, service) => total + sum(service, metric), 0);
  const [accepted, quarantined, tooLarge] = [ingest('accepted'), ingest('quarantined'), ingest('too_large')];
  const [badSignature, unavailable] = [ingest('bad_signature'), ingest('unavailable')];
  const repeated = worked(workerMetrics.stale);
  const verified = accepted + quarantined + tooLarge;
  return {
    received: verified + badSignature + unavailable,
    verified,
    badSignature,
    unavailable,
    tooLarge,
    queued: accepted + quarantined,
    quarantined,
    // A repeat was applied before.
    applied: worked(workerMetrics.applied) + repeated,
    repeated,
  };
}
