import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import { type Alarm, MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { environment } from '../functions/aws/environment.ts';
import { type EventType, events } from '../functions/domain/events.ts';
import { documentMetrics, durationMetric, workerMetrics } from '../functions/domain/metric-names.ts';
import { messagesPerBatch } from '../functions/domain/queue-message.ts';
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
    // A batch has 20 s. Postponing failed messages takes up to 6.5 s more.
    const workerTimeout = Duration.seconds(30);

    this.deadLetterQueue = new Queue(this, 'DeadLetterQueue', {
      ...queueDefaults,
      // SQS counts from the first enqueue: a message that spent seven days in the queue has seven days left.
      retentionPeriod: Duration.days(14),
      removalPolicy,
    });
    this.queue = new Queue(this, 'Queue', {
      ...queueDefaults,
      retentionPeriod: Duration.days(7),
      // AWS recommends six times the function's time-out, so that no message becomes visible while it is processed.
      visibilityTimeout: Duration.seconds(6 * workerTimeout.toSeconds()),
      // With the backoff of retry-delay.ts, sixteen receives take more than six hours.
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: 16 },
      removalPolicy,
    });
    const argyle = fetchingEvents.includes(eventType) ? props.argyle : undefined;
    const worker = this.createWorker(props, argyle, workerTimeout);
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
    timeout: Duration,
  ): UploadsFunction {
    const worker = new UploadsFunction(this, 'Worker', {
      entry: 'worker',
      description: `Merges ${eventType} events into the upload records.`,
      service: eventType,
      timeout,
      environment: {
        [environment.eventType]: eventType,
        [environment.queueUrl]: this.queue.queueUrl,
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
      // A healthy worker receives a message within seconds and clears most backlogs within minutes. Messages that fail
      // repeatedly do not count: this metric ignores a message after its third receive.
      threshold: Duration.minutes(15).toSeconds(),
      failureImpact,
    });
    const deadLetters = monitoring.watchMessages(this, 'DeadLetters', { row, queue: deadLetterQueue, failureImpact });
    const workerErrors = monitoring.watch(this, 'WorkerErrors', {
      row,
      metric: this.workerErrors(lambda, fetchesDocuments),
      // A record that cannot be stored is tried six times in its first five minutes. One failed try fires no alarm, but one
      // record that keeps failing does.
      threshold: 5,
      failureImpact,
    });
    monitoring.watch(this, 'Throttled', {
      row,
      metric: lambda.metricThrottles({ period: Duration.minutes(5), statistic: Stats.SUM }),
      // SQS delivers a throttled batch again, but each delivery counts as a receive of its messages.
      threshold: 10,
      failureImpact,
    });
    monitoring.graph(row, 'Batch duration, ms', {
      left: ['p50', 'p99'].map((statistic) =>
        customMetric(this, eventType, durationMetric, { statistic, label: statistic }),
      ),
    });
    return [deadLetters, workerErrors];
  }

  // For Lambda, a batch succeeds even if some of its records failed. Only the worker's own metric counts those records. Failures of
  // Argyle's API have their own alarm, and records that can never be applied become dead letters.
  private workerErrors(lambda: UploadsFunction['lambda'], fetchesDocuments: boolean): MathExpression {
    const period = Duration.minutes(5);
    const metric = (name: string) => customMetric(this, this.eventType, name, { period });
    return new MathExpression({
      expression: `FILL(errors, 0) + FILL(failed, 0)${fetchesDocuments ? ' - FILL(notFetched, 0)' : ''}`,
      usingMetrics: {
        errors: lambda.metricErrors({ statistic: Stats.SUM, period }),
        failed: metric(workerMetrics.retryable),
        ...(fetchesDocuments && { notFetched: metric(documentMetrics.failed) }),
      },
      label: 'failed batches and records',
      period,
    });
  }
}

/** Properties of every queue of the stack. */
export const queueDefaults = {
  encryption: QueueEncryption.SQS_MANAGED,
  enforceSSL: true,
  // 1 MiB, the maximum of SQS: it fits the largest accepted body in base64 with its attributes.
  maxMessageSizeBytes: 1_048_576,
} as const;
