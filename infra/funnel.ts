import { Duration } from 'aws-cdk-lib';
import { SingleValueWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { eventTypes } from '../functions/domain/events.ts';
import { ingestMetrics, ingestService, workerMetrics } from '../functions/domain/metric-names.ts';
import { customMetric, sumOf } from './custom-metric.ts';
import type { Monitoring } from './monitoring.ts';

/** The dashboard row of the whole pipeline. */
export const overviewRow = 'overview';

/** Shows how many webhooks completed each step. Those missing from the next step are in progress, rejected or stuck. */
export function showFunnel(scope: Construct, monitoring: Monitoring): void {
  const ingest = (...outcomes: readonly (keyof typeof ingestMetrics)[]) =>
    outcomes.map((outcome) => customMetric(scope, ingestService, ingestMetrics[outcome]));
  const steps = {
    received: ingest('accepted', 'quarantined', 'bad_signature', 'too_large', 'unavailable'),
    // Without 503 answers: ingest may not have been able to check the signature.
    verified: ingest('accepted', 'quarantined', 'too_large'),
    queued: ingest('accepted', 'quarantined'),
    // A stale event was applied earlier.
    applied: eventTypes.flatMap((event) =>
      [workerMetrics.applied, workerMetrics.stale].map((name) => customMetric(scope, event, name)),
    ),
  };
  const sums = (period: Duration) => Object.entries(steps).map(([step, metrics]) => sumOf(metrics, step, period));
  monitoring.show(
    overviewRow,
    new SingleValueWidget({
      title: 'Webhooks in the selected time range',
      metrics: sums(Duration.minutes(5)),
      setPeriodToTimeRange: true,
      width: 8,
      height: 5,
    }),
  );
  monitoring.graph(overviewRow, 'Webhooks a minute', { left: sums(Duration.minutes(1)), width: 16 });
}
