import { Duration } from 'aws-cdk-lib';
import { MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { eventTypes } from '../functions/domain/events.ts';
import { changeMetrics, changesService, workerMetrics } from '../functions/domain/metric-names.ts';
import { customMetric, sumOf } from './custom-metric.ts';
import type { Monitoring } from './monitoring.ts';

/** The alarms of the publishing of changes, and its row of the dashboard. */
export function watchChanges(scope: Construct, monitoring: Monitoring, deadLetterQueue: Queue): void {
  const row = changesService;
  monitoring.watch(scope, 'ChangesNotPublished', {
    row,
    metric: deadLetterQueue.metricApproximateNumberOfMessagesVisible({
      period: Duration.minutes(1),
      statistic: Stats.MAXIMUM,
    }),
    threshold: 1,
    failureImpact:
      'Some changes of records were never published: the records are right, but systems that listen do not know.',
    // SQS may report nothing of a queue that was not touched for six hours: its dead letters are still there.
    whenMissing: TreatMissingData.IGNORE,
  });
  monitoring.watch(scope, 'NothingPublished', {
    row,
    metric: changesWhileNoneIsDescribed(scope),
    threshold: 1,
    // Two half hours in a row: a change at the end of the first is described in the second, wherever the hour is cut.
    periods: 2,
    failureImpact:
      'Changes of records are not published any more: the records are right, but systems that listen hear nothing.',
    // Nothing was changed.
    whenMissing: TreatMissingData.NOT_BREACHING,
  });
  monitoring.graph(row, 'Changes a minute', {
    left: Object.values(changeMetrics).map((name) => customMetric(scope, changesService, name)),
    stacked: true,
  });
}

// AWS disables a pipe whose calls are refused again and again ("error handling" in EventBridge's user guide, read
// 2026-11-25), or somebody stops it. Then nothing is given up, so that no dead letter tells: only that the function in the
// pipe is not called. A write that it looks at and that changes nothing for readers is described too.
function changesWhileNoneIsDescribed(scope: Construct): MathExpression {
  const period = Duration.minutes(30);
  const ofWorkers = eventTypes.map((event) => customMetric(scope, event, workerMetrics.applied));
  const ofPipe = Object.values(changeMetrics).map((name) => customMetric(scope, changesService, name));
  const changed = sumOf(ofWorkers, 'changed', period);
  const described = sumOf(ofPipe, 'described', period);
  return new MathExpression({
    expression: `IF(${described.expression} == 0, ${changed.expression}, 0)`,
    usingMetrics: { ...changed.usingMetrics, ...described.usingMetrics },
    label: 'changes while none was described',
    period,
  });
}
