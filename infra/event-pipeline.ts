import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import { type Alarm, type IMetric, MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { environment } from '../functions/aws/environment.ts';
import { type EventType, events } from '../functions/domain/events.ts';
import { documentMetrics, durationMetric, workerMetrics } from '../functions/domain/metric-names.ts';
import { messagesPerBatch } from '../functions/domain/queue-message.ts';
import { maxReceiveCount, visibilityTimeoutSeconds, workerTimeoutSeconds } from '../functions/domain/retry-budget.ts';
import { type ArgyleAccount, fetchingEvents } from './argyle-account.ts';
import { customMetric } from './custom-metric.ts';
import type { Monitoring } from './monitoring.ts';
import { UploadsFunction } from './uploads-function.ts';

export type EventPipelineProps = {
  readonly eventType: EventType;
  readonly table: Table;
  readonly retentionDays: number;
  readonly removalPolicy: RemovalPolicy;
  readonly monitoring: Monitoring;
  /** The account from which the worker fetches the document of an event. @default it does not fetch documents */
  readonly argyle: ArgyleAccount | undefined;
  /** The maximum number of concurrent batches, so that a backlog cannot use up the concurrency that ingest needs. @default 50 */
  readonly maxConcurrency?: number;
};

/** The path of one event type into the upload records: queue, dead-letter queue, worker, alarms and dashboard row. */
export class EventPipeline extends Construct {
  readonly eventType: EventType;
  readonly queue: Queue;
  /** The alias that processes the queue. */
  readonly worker: Alias;
  /** The alarms that fire when a release of the worker is bad. */
  readonly alarms: readonly Alarm[];
  private readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, props: EventPipelineProps) {
    super(scope, id);
    const { eventType, removalPolicy, monitoring } = props;
    this.eventType = eventType;

    this.deadLetterQueue = new Queue(this, 'DeadLetterQueue', {
      ...queueDefaults,
      // A message that its worker sends has all of this time. For one that SQS moves, SQS counts from the first enqueue.
      retentionPeriod: Duration.days(14),
      removalPolicy,
    });
    this.queue = new Queue(this, 'Queue', {
      ...queueDefaults,
      // The worker adds an attribute to a message that it sends to the dead-letter queue, which accepts up to 1 MiB.
      maxMessageSizeBytes: queueDefaults.maxMessageSizeBytes - 1_024,
      retentionPeriod: Duration.days(7),
      visibilityTimeout: Duration.seconds(visibilityTimeoutSeconds),
      // The worker itself sends its failures to the dead-letter queue. This is the safety net for messages with which no worker
      // finishes: see retry-budget.ts.
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount },
      removalPolicy,
    });
    const argyle = fetchingEvents.includes(eventType) ? props.argyle : undefined;
    const worker = this.createWorker(props, argyle);
    this.worker = worker.liveAlias();
    this.worker.addEventSourceMapping('Source', {
      eventSourceArn: this.queue.queueArn,
      batchSize: messagesPerBatch,
      maxConcurrency: props.maxConcurrency ?? 50,
      reportBatchItemFailures: true,
    });
    this.alarms = this.watch(monitoring, worker, argyle !== undefined);
  }

  private createWorker(
    { eventType, table, retentionDays, removalPolicy }: EventPipelineProps,
    argyle: ArgyleAccount | undefined,
  ): UploadsFunction {
    const worker = new UploadsFunction(this, 'Worker', {
      entry: 'worker',
      description: `Merges ${eventType} events into the upload records.`,
      service: eventType,
      timeout: Duration.seconds(workerTimeoutSeconds),
      environment: {
        [environment.eventType]: eventType,
        [environment.queueUrl]: this.queue.queueUrl,
        [environment.deadLetterQueueUrl]: this.deadLetterQueue.queueUrl,
        [environment.tableName]: table.tableName,
        [environment.retentionDays]: String(retentionDays),
        ...argyle?.environment,
      },
      removalPolicy,
    });
    argyle?.grantRead(worker);
    worker.allow(table.tableArn, 'dynamodb:UpdateItem', 'dynamodb:GetItem');
    // The event source mapping receives, deletes and reads attributes. The worker itself postpones failed messages.
    worker.allow(
      this.queue.queueArn,
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ChangeMessageVisibility',
    );
    worker.allow(this.deadLetterQueue.queueArn, 'sqs:SendMessage');
    return worker;
  }

  private watch(monitoring: Monitoring, { lambda }: UploadsFunction, fetchesDocuments: boolean): readonly Alarm[] {
    const { eventType, queue, deadLetterQueue } = this;
    const { failureImpact } = events[eventType];
    const row = eventType;
    const perMinute = { period: Duration.minutes(1), statistic: Stats.MAXIMUM };

    monitoring.graph(row, 'Events a minute', {
      left: Object.values(workerMetrics).map((name) => customMetric(this, eventType, name)),
      right: [queue.metricApproximateNumberOfMessagesVisible({ ...perMinute, label: 'visible messages (right axis)' })],
      stacked: true,
    });
    monitoring.watch(this, 'OldestMessage', {
      row,
      metric: queue.metricApproximateAgeOfOldestMessage(perMinute),
      // A healthy worker receives a message within seconds and clears most backlogs within minutes. This alarm does not detect
      // messages that fail repeatedly: the metric ignores a message after its third receive. RepeatedFailures detects them.
      threshold: Duration.minutes(15).toSeconds(),
      failureImpact,
    });
    const deadLetters = monitoring.watchMessages(this, 'DeadLetters', { row, queue: deadLetterQueue, failureImpact });
    const workerErrors = this.watchFailures(monitoring, lambda, fetchesDocuments);
    monitoring.graph(row, 'Batch duration, ms', {
      left: ['p50', 'p99'].map((statistic) =>
        customMetric(this, eventType, durationMetric, { statistic, label: statistic }),
      ),
    });
    return [deadLetters, workerErrors];
  }

  // Returns the alarm that fires when a release of the worker is bad.
  private watchFailures(monitoring: Monitoring, lambda: UploadsFunction['lambda'], fetchesDocuments: boolean): Alarm {
    const row = this.eventType;
    const { failureImpact } = events[row];
    const throttles = lambda.metricThrottles({ period: failurePeriod, statistic: Stats.SUM });
    const workerErrors = monitoring.watch(this, 'WorkerErrors', {
      row,
      metric: this.failures(lambda, fetchesDocuments),
      // Several failures at once, for example when DynamoDB is down or a release is bad.
      threshold: 5,
      failureImpact,
    });
    monitoring.watch(this, 'RepeatedFailures', {
      row,
      metric: this.failures(lambda, fetchesDocuments, { throttles }),
      // Few failures, but again and again: the only message of a day may crash its worker. That message is received every three
      // minutes, so every period has a failure, and this alarm fires within 20 minutes. A record that cannot be stored fails in at
      // least four periods of its first half hour. A failure that a retry ends is in one or two periods and fires no alarm.
      threshold: 1,
      periods: 12,
      breachingPeriods: 4,
      failureImpact,
    });
    monitoring.watch(this, 'Throttled', {
      row,
      metric: throttles,
      // A short burst of throttles is harmless: SQS delivers the batch again. RepeatedFailures counts throttles that continue.
      threshold: 10,
      failureImpact,
    });
    return workerErrors;
  }

  // For Lambda, a batch succeeds even if some of its records failed. Only the worker's own metric counts those records. Failures of
  // Argyle's API have their own alarm, and records that the worker gives up become dead letters.
  private failures(
    lambda: UploadsFunction['lambda'],
    fetchesDocuments: boolean,
    further: Readonly<Record<string, IMetric>> = {},
  ): MathExpression {
    const period = failurePeriod;
    const metric = (name: string) => customMetric(this, this.eventType, name, { period });
    const added = {
      errors: lambda.metricErrors({ statistic: Stats.SUM, period }),
      failed: metric(workerMetrics.retryable),
      ...further,
    };
    const sum = Object.keys(added).map((name) => `FILL(${name}, 0)`);
    return new MathExpression({
      expression: `${sum.join(' + ')}${fetchesDocuments ? ' - FILL(notFetched, 0)' : ''}`,
      usingMetrics: { ...added, ...(fetchesDocuments && { notFetched: metric(documentMetrics.failed) }) },
      label: 'failed batches and records',
      period,
    });
  }
}

const failurePeriod = Duration.minutes(5);

/** Properties of every queue of the stack. */
export const queueDefaults = {
  encryption: QueueEncryption.SQS_MANAGED,
  enforceSSL: true,
  // 1 MiB, the maximum of SQS: it fits the largest accepted body in base64 with its attributes.
  maxMessageSizeBytes: 1_048_576,
} as const;
