import { Duration } from 'aws-cdk-lib';
import { SingleValueWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { eventTypes } from '../functions/domain/events.ts';
import { ingestMetrics, ingestService, workerMetrics } from '../functions/domain/metric-names.ts';
import { customMetric, sumOf } from './custom-metric.ts';
import type { Monitoring } from './monitoring.ts';

/** The row of the dashboard that shows the whole way at once. */
export const overview = 'overview';

/** Shows how many webhooks came how far: what is lost between two steps is on the way, refused or stuck. */
export function showFunnel(scope: Construct, monitoring: Monitoring): void {
  const ingest = (...outcomes: readonly (keyof typeof ingestMetrics)[]) =>
    outcomes.map((outcome) => customMetric(scope, ingestService, ingestMetrics[outcome]));
  const steps = {
    received: ingest('accepted', 'quarantined', 'bad_signature', 'too_large', 'unavailable'),
    // Of what was answered 503 nobody can say whether it was signed.
    verified: ingest('accepted', 'quarantined', 'too_large'),
    queued: ingest('accepted', 'quarantined'),
    // A stale event was applied before.
    applied: eventTypes.flatMap((event) =>
      [workerMetrics.applied, workerMetrics.stale].map((name) => customMetric(scope, event, name)),
    ),
  };
  const sums = (period: Duration) => Object.entries(steps).map(([step, metrics]) => sumOf(metrics, step, period));
  monitoring.show(
    overview,
    new SingleValueWidget({
      title: 'Webhooks in the time shown',
      metrics: sums(Duration.minutes(5)),
      setPeriodToTimeRange: true,
      width: 8,
      height: 5,
    }),
  );
  monitoring.graph(overview, 'Webhooks a minute', { left: sums(Duration.minutes(1)), width: 16 });
}
