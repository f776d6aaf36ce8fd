import { ingestMetrics, ingestService, workerMetrics } from '../../functions/domain/metric-names.ts';
import type { MetricLine } from './log-line.ts';
import type { LaneCounts, Overview, Throughput } from './page/api.ts';

/** Number of seconds of throughput that are kept. */
export const keptSeconds = 120;

type Second = { received: number; applied: number };

/** Creates the sums of the functions' metrics. Their size does not grow with the number of webhooks. */
export function createCounters(nowMs: () => number) {
  const sums = new Map<string, number>();
  const seconds = new Map<number, Second>();
  let lastWebhookAt: string | null = null;
  const sum = (service: string, metric: string): number => sums.get(`${service} ${metric}`) ?? 0;
  const currentSecond = () => Math.floor(nowMs() / 1_000);
  return {
    /** Adds the metrics of a request or a batch. */
    note: ({ service, timeMs, metrics }: MetricLine): void => {
      for (const [metric, value] of Object.entries(metrics))
        sums.set(`${service} ${metric}`, sum(service, metric) + value);
      addToSecond(seconds, currentSecond(), service, metrics);
      if (service === ingestService && metrics[ingestMetrics.accepted]) lastWebhookAt = new Date(timeMs).toISOString();
    },
    /** The ISO time of the last accepted webhook, or null. */
    lastWebhookAt: (): string | null => lastWebhookAt,
    /** Counts of ingest's answers. */
    answers: (): Overview['answers'] => {
      const counts = Object.entries(ingestMetrics).map(([answer, metric]) => [answer, sum(ingestService, metric)]);
      return Object.fromEntries(counts) as Overview['answers'];
    },
    /** Counts of an event's worker. */
    lane: (event: string): LaneCounts => ({
      applied: sum(event, workerMetrics.applied),
      repeated: sum(event, workerMetrics.stale),
      retried: sum(event, workerMetrics.retryable),
    }),
    /** Webhooks per second, from the oldest to the current second. */
    throughput: (): Throughput => {
      const first = currentSecond() - keptSeconds + 1;
      const kept = Array.from({ length: keptSeconds }, (_, index) => seconds.get(first + index));
      const values = (name: keyof Second) => kept.map((second) => second?.[name] ?? 0);
      return { received: values('received'), applied: values('applied') };
    },
  };
}

function addToSecond(
  seconds: Map<number, Second>,
  current: number,
  service: string,
  metrics: Readonly<Record<string, number>>,
): void {
  const second = seconds.get(current) ?? { received: 0, applied: 0 };
  const isIngest = service === ingestService;
  const names = isIngest ? Object.values(ingestMetrics) : [workerMetrics.applied, workerMetrics.stale];
  for (const name of names) second[isIngest ? 'received' : 'applied'] += metrics[name] ?? 0;
  seconds.set(current, second);
  for (const old of seconds.keys()) if (old <= current - keptSeconds) seconds.delete(old);
}
