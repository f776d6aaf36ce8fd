import { Duration } from 'aws-cdk-lib';
import { type Alarm, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { type EventType, events } from '../functions/domain/events.ts';
import { documentMetrics, durationMetric, workerMetrics } from '../functions/domain/metric-names.ts';
import { customMetric } from './custom-metric.ts';
import type { Monitoring } from './monitoring.ts';

/** The parts of one event's way that are watched. */
export type WatchedEvent = {
  readonly eventType: EventType;
  readonly queue: Queue;
  readonly deadLetterQueue: Queue;
  readonly worker: IFunction;
  readonly fetchesDocuments: boolean;
};

/** The alarms that tell a bad release of the worker. */
export type EventAlarms = { readonly deadLetters: Alarm; readonly workerErrors: Alarm };

/** The alarms of one event, and its row of the dashboard. */
export function watchEvent(scope: Construct, monitoring: Monitoring, watched: WatchedEvent): EventAlarms {
  const { eventType, queue, deadLetterQueue, worker } = watched;
  const { failureImpact } = events[eventType];
  const row = eventType;
  const perMinute = { period: Duration.minutes(1), statistic: Stats.MAXIMUM };
  const printed = (name: string, statistic: string = Stats.SUM) =>
    customMetric(scope, eventType, name, statistic === Stats.SUM ? {} : { statistic, label: statistic });

  monitoring.graph(row, 'Events a minute', {
    left: Object.values(workerMetrics).map((name) => printed(name)),
    right: [queue.metricApproximateNumberOfMessagesVisible({ ...perMinute, label: 'waiting (right)' })],
    stacked: true,
  });
  monitoring.watch(scope, 'OldestMessage', {
    row,
    metric: queue.metricApproximateAgeOfOldestMessage(perMinute),
    // A worker that keeps up takes a message within seconds, and catches up with most backlogs within minutes. What it
    // took and could not apply is not counted: SQS leaves out a message after its third receive.
    threshold: Duration.minutes(15).toSeconds(),
    failureImpact,
    // SQS reports no age for an empty queue.
    whenMissing: TreatMissingData.NOT_BREACHING,
  });
  const deadLetters = monitoring.watch(scope, 'DeadLetters', {
    row,
    metric: deadLetterQueue.metricApproximateNumberOfMessagesVisible(perMinute),
    threshold: 1,
    failureImpact,
    // SQS may report nothing of a queue that was not touched for six hours: its dead letters are still there.
    whenMissing: TreatMissingData.IGNORE,
  });
  const workerErrors = monitoring.watch(scope, 'WorkerErrors', {
    row,
    metric: errorsOf(scope, watched),
    // A record that cannot be stored is tried six times in its first five minutes: one bad try is no alarm, one record
    // that keeps failing is.
    threshold: 5,
    failureImpact,
    // Nothing was to be done.
    whenMissing: TreatMissingData.NOT_BREACHING,
  });
  monitoring.watch(scope, 'Throttled', {
    row,
    metric: worker.metricThrottles({ period: Duration.minutes(5), statistic: Stats.SUM }),
    // SQS offers a batch again, but each time counts as a receive of its messages.
    threshold: 10,
    failureImpact,
    // Lambda reports nothing of a function that was not called.
    whenMissing: TreatMissingData.NOT_BREACHING,
  });
  monitoring.graph(row, 'Duration of a batch, ms', {
    left: [printed(durationMetric, 'p50'), printed(durationMetric, 'p99')],
  });
  return { deadLetters, workerErrors };
}

// To Lambda, a batch whose failed records are reported one by one was a success: only the worker's own count knows them.
// What Argyle's API did not serve has an alarm of its own, and what will never work is a dead letter.
function errorsOf(scope: Construct, { eventType, worker, fetchesDocuments }: WatchedEvent): MathExpression {
  const period = Duration.minutes(5);
  const printed = (name: string) => customMetric(scope, eventType, name, { period });
  return new MathExpression({
    expression: `FILL(errors, 0) + FILL(failed, 0)${fetchesDocuments ? ' - FILL(notFetched, 0)' : ''}`,
    usingMetrics: {
      errors: worker.metricErrors({ statistic: Stats.SUM, period }),
      failed: printed(workerMetrics.retryable),
      ...(fetchesDocuments && { notFetched: printed(documentMetrics.failed) }),
    },
    label: 'failed batches and records',
    period,
  });
}
