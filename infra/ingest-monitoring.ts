import { Duration } from 'aws-cdk-lib';
import type { HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { type Alarm, ComparisonOperator, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { ingestMetrics, ingestService, secretUnreadableMetric } from '../functions/domain/metric-names.ts';
import { customMetric } from './custom-metric.ts';
import type { Monitoring } from './monitoring.ts';

/** The parts of the public side that are watched. */
export type WatchedIngest = {
  readonly stage: HttpStage;
  readonly ingest: IFunction;
  readonly quarantine: Queue;
  /** What the stage lets through. */
  readonly requestsPerSecond: number;
  readonly silenceHours: number | undefined;
};

const row = ingestService;
const minute = Duration.minutes(1);
// Neither gateway nor functions report what did not happen.
const whenMissing = TreatMissingData.NOT_BREACHING;

/** The alarms of the public side, and its row of the dashboard; gives the alarm that tells a bad release of ingest. */
export function watchIngest(scope: Construct, monitoring: Monitoring, watched: WatchedIngest): Alarm {
  const latency = (statistic: string) => watched.stage.metricLatency({ period: minute, statistic, label: statistic });
  monitoring.graph(row, 'Answers a minute', {
    left: Object.values(ingestMetrics).map((name) => customMetric(scope, ingestService, name)),
    stacked: true,
  });
  monitoring.graph(row, 'Latency, ms', { left: [latency('p50'), latency('p99')] });
  const serverErrors = monitoring.watch(scope, 'ServerErrors', {
    row,
    metric: watched.stage.metricServerError({ period: Duration.minutes(5), statistic: Stats.SUM }),
    // Argyle tries once more, after 30 s: the second in five minutes may be that retry, and then the event is lost.
    threshold: 2,
    failureImpact: 'Webhooks are answered with errors: an event whose one retry fails as well is lost to us.',
    whenMissing,
  });
  watchSecret(scope, monitoring);
  watchWhatIsKept(scope, monitoring, watched);
  watchLoad(scope, monitoring, watched);
  if (watched.silenceHours !== undefined) watchSilence(scope, monitoring, watched.silenceHours);
  return serverErrors;
}

function watchSecret(scope: Construct, monitoring: Monitoring): void {
  monitoring.watch(scope, 'SecretUnreadable', {
    row,
    metric: customMetric(scope, ingestService, secretUnreadableMetric),
    // The client has tried twice by then, and what makes a secret unreadable does not pass by itself.
    threshold: 1,
    failureImpact: 'No webhook can be verified: all are answered 503, and lost unless that ends within 30 seconds.',
    whenMissing,
  });
  monitoring.watch(scope, 'Refusals', {
    row,
    metric: customMetric(scope, ingestService, ingestMetrics.bad_signature, { period: Duration.minutes(15) }),
    // Strangers who try an address come one by one; a subscription with another secret fails with every document.
    threshold: 10,
    failureImpact:
      'Webhooks with wrong signatures: forged ones harm nothing, but if Argyle signs with another secret all events are lost.',
    whenMissing,
  });
}

function watchWhatIsKept(scope: Construct, monitoring: Monitoring, { quarantine }: WatchedIngest): void {
  monitoring.watch(scope, 'Quarantined', {
    row,
    metric: quarantine.metricApproximateNumberOfMessagesVisible({
      period: minute,
      statistic: Stats.MAXIMUM,
    }),
    threshold: 1,
    failureImpact:
      'Webhooks were genuine but not understood: what they say is in no record until someone looks at them.',
    // SQS may report nothing of a queue that was not touched for six hours: what it holds is still there.
    whenMissing: TreatMissingData.IGNORE,
  });
  monitoring.watch(scope, 'TooLarge', {
    row,
    metric: customMetric(scope, ingestService, ingestMetrics.too_large),
    threshold: 1,
    failureImpact:
      'A genuine webhook was larger than 512 KiB and was not kept: its event is lost unless it is looked up at Argyle.',
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
    // HTTP APIs have no metric of what they throttle, and 4xx holds every stranger's 404: so this tells before it happens.
    threshold: 0.8 * 60 * requestsPerSecond,
    failureImpact: 'Requests come near the limit, above which webhooks are answered 429 and tried only once more.',
    whenMissing,
  });
  monitoring.watch(scope, 'Throttled', {
    row,
    metric: ingest.metricThrottles({ period: Duration.minutes(5), statistic: Stats.SUM }),
    // Argyle tries each again: ten in five minutes are no short burst, the account's concurrency is used up.
    threshold: 10,
    failureImpact: 'Lambda starts no more of ingest: webhooks are answered with errors and tried only once more.',
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
    failureImpact: 'No webhook was accepted for longer than it should take: perhaps Argyle sends none, or not to here.',
    // Ingest prints nothing when nothing comes: that is what this alarm is about.
    whenMissing: TreatMissingData.BREACHING,
  });
}
