import { Duration } from 'aws-cdk-lib';
import type { HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { type Alarm, ComparisonOperator, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { ingestMetrics, ingestService, secretUnreadableMetric } from '../functions/domain/metric-names.ts';
import { customMetric } from './custom-metric.ts';
import type { Monitoring } from './monitoring.ts';

/** The parts of the public endpoint that have alarms. */
export type WatchedIngest = {
  readonly stage: HttpStage;
  readonly ingest: IFunction;
  readonly quarantine: Queue;
  /** The limit above which the stage throttles. */
  readonly requestsPerSecond: number;
  readonly silenceHours: number | undefined;
};

const row = ingestService;
const minute = Duration.minutes(1);
// Gateway and functions report nothing in a period without requests.
const whenMissing = TreatMissingData.NOT_BREACHING;

/** Adds the alarms and the dashboard row of the public endpoint. Returns the alarm that fires when a release of ingest is bad. */
export function watchIngest(scope: Construct, monitoring: Monitoring, watched: WatchedIngest): Alarm {
  const { stage, quarantine, silenceHours } = watched;
  const latency = (statistic: string) => stage.metricLatency({ period: minute, statistic, label: statistic });
  monitoring.graph(row, 'Answers a minute', {
    left: Object.values(ingestMetrics).map((name) => customMetric(scope, ingestService, name)),
    stacked: true,
  });
  monitoring.graph(row, 'Latency, ms', { left: [latency('p50'), latency('p99')] });
  const serverErrors = monitoring.watch(scope, 'ServerErrors', {
    row,
    metric: stage.metricServerError({ period: Duration.minutes(5), statistic: Stats.SUM }),
    // Argyle retries once, after 30 s. The second error in five minutes may be that retry, and then the event is lost.
    threshold: 2,
    failureImpact: "Webhooks are answered with errors: an event is lost if Argyle's one retry fails too.",
    whenMissing,
  });
  watchVerification(scope, monitoring);
  monitoring.watchMessages(scope, 'Quarantined', {
    row,
    queue: quarantine,
    failureImpact:
      'Webhooks with a valid signature were not understood: no record contains them until an operator handles them.',
  });
  monitoring.watch(scope, 'TooLarge', {
    row,
    metric: customMetric(scope, ingestService, ingestMetrics.too_large),
    threshold: 1,
    failureImpact:
      'A webhook with a valid signature exceeded 512 KiB and was not stored: its event is lost unless it is looked up at Argyle.',
    whenMissing,
  });
  watchLoad(scope, monitoring, watched);
  if (silenceHours !== undefined) watchSilence(scope, monitoring, silenceHours);
  return serverErrors;
}

function watchVerification(scope: Construct, monitoring: Monitoring): void {
  monitoring.watch(scope, 'SecretUnreadable', {
    row,
    metric: customMetric(scope, ingestService, secretUnreadableMetric),
    // The client has already tried twice, and a secret rarely becomes readable again without a repair.
    threshold: 1,
    failureImpact:
      "No webhook can be verified: all are answered 503, and an event is lost if Argyle's retry after 30 seconds fails too.",
    whenMissing,
  });
  monitoring.watch(scope, 'Refusals', {
    row,
    metric: customMetric(scope, ingestService, ingestMetrics.bad_signature, { period: Duration.minutes(15) }),
    // Strangers who try the URL send single requests. A subscription with a wrong secret fails for every document.
    threshold: 10,
    failureImpact:
      'Webhooks have wrong signatures: forged ones do no harm, but if Argyle signs with another secret, all events are lost.',
    whenMissing,
  });
}

function watchLoad(
  scope: Construct,
  monitoring: Monitoring,
  { stage, ingest, requestsPerSecond }: WatchedIngest,
): void {
  monitoring.watch(scope, 'NearRequestLimit', {
    row,
    metric: stage.metricCount({ period: minute, statistic: Stats.SUM }),
    // HTTP APIs have no metric for throttled requests, and 4xx includes every stranger's 404. So the alarm fires before
    // the gateway throttles.
    threshold: 0.8 * 60 * requestsPerSecond,
    failureImpact: 'Requests approach the limit: above it, webhooks are answered 429 and retried only once.',
    whenMissing,
  });
  monitoring.watch(scope, 'Throttled', {
    row,
    metric: ingest.metricThrottles({ period: Duration.minutes(5), statistic: Stats.SUM }),
    // Argyle retries each webhook. Ten in five minutes are no short burst: the account's concurrency is used up.
    threshold: 10,
    failureImpact: 'Lambda throttles ingest: webhooks are answered with errors and retried only once.',
    whenMissing,
  });
}

function watchSilence(scope: Construct, monitoring: Monitoring, hours: number): void {
  monitoring.watch(scope, 'Silence', {
    row,
    metric: customMetric(scope, ingestService, ingestMetrics.accepted, { period: Duration.hours(1) }),
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    threshold: 1,
    periods: hours,
    failureImpact:
      'No webhook was accepted for longer than expected: Argyle may send none, or may send them to another URL.',
    // Ingest writes no metric when no webhook arrives, and that is the condition to detect.
    whenMissing: TreatMissingData.BREACHING,
  });
}
