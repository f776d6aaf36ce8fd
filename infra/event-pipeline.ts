import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Grant } from 'aws-cdk-lib/aws-iam';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { environment } from '../functions/aws/environment.ts';
import type { EventType } from '../functions/domain/events.ts';
import { type ArgyleAccount, fetchingEvents } from './argyle-account.ts';
import { type EventAlarms, watchEvent } from './event-monitoring.ts';
import type { Monitoring } from './monitoring.ts';
import { UploadsFunction } from './uploads-function.ts';

/** What the pipeline of one event is made from. */
export type EventPipelineProps = {
  readonly eventType: EventType;
  readonly table: Table;
  readonly retentionDays: number;
  readonly removalPolicy: RemovalPolicy;
  readonly monitoring: Monitoring;
  /** Where the worker fetches the document after its event; it does not when absent. */
  readonly argyle: ArgyleAccount | undefined;
  /** How many batches may be worked on at once, so that catching up never takes ingest's concurrency. */
  readonly maxConcurrency?: number;
};

/** One event's way from its queue into the upload records: queue, dead-letter queue, worker and alarms. */
export class EventPipeline extends Construct {
  readonly eventType: EventType;
  readonly queue: Queue;
  /** What takes from the queue. */
  readonly worker: Alias;
  readonly alarms: EventAlarms;

  constructor(scope: Construct, id: string, props: EventPipelineProps) {
    super(scope, id);
    const { eventType, table, removalPolicy } = props;
    const argyle = fetchingEvents.includes(eventType) ? props.argyle : undefined;
    this.eventType = eventType;
    // A batch has 20 s, postponing what failed 6.5 s more.
    const workerTimeout = Duration.seconds(30);

    const deadLetterQueue = new Queue(this, 'DeadLetterQueue', {
      ...queueDefaults,
      // SQS counts from the first enqueue, so seven days are left when a message comes from the queue's end.
      retentionPeriod: Duration.days(14),
      removalPolicy,
    });
    this.queue = new Queue(this, 'Queue', {
      ...queueDefaults,
      retentionPeriod: Duration.days(7),
      // AWS advises six times the function's time-out, so that no message comes back while it is worked on.
      visibilityTimeout: Duration.seconds(6 * workerTimeout.toSeconds()),
      // With the back-off of retry-delay.ts, sixteen receives last over six hours.
      deadLetterQueue: { queue: deadLetterQueue, maxReceiveCount: 16 },
      removalPolicy,
    });

    const worker = new UploadsFunction(this, 'Worker', {
      entry: 'worker',
      description: `Merges ${eventType} events into the upload records.`,
      service: eventType,
      timeout: workerTimeout,
      environment: {
        [environment.eventType]: eventType,
        [environment.queueUrl]: this.queue.queueUrl,
        [environment.tableName]: table.tableName,
        [environment.retentionDays]: String(props.retentionDays),
        ...argyle?.environment,
      },
      removalPolicy,
    });
    argyle?.grantRead(worker.lambda);
    // Not `table.grant`: that would open the indexes as well.
    Grant.addToPrincipal({
      grantee: worker.lambda,
      actions: ['dynamodb:UpdateItem', 'dynamodb:GetItem'],
      resourceArns: [table.tableArn],
    });
    // Receive, delete and attributes are the event source poller's; the worker itself postpones what failed.
    this.queue.grant(
      worker.lambda,
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:ChangeMessageVisibility',
    );
    this.worker = worker.liveAlias();
    this.worker.addEventSourceMapping('Source', {
      eventSourceArn: this.queue.queueArn,
      batchSize: 10,
      maxConcurrency: props.maxConcurrency ?? 50,
      reportBatchItemFailures: true,
    });
    this.alarms = watchEvent(this, props.monitoring, {
      eventType,
      queue: this.queue,
      deadLetterQueue,
      worker: worker.lambda,
      fetchesDocuments: argyle !== undefined,
    });
  }
}

/** What holds for every queue of the stack. */
export const queueDefaults = {
  encryption: QueueEncryption.SQS_MANAGED,
  enforceSSL: true,
  // 1 MiB, SQS's own limit: the largest accepted body in base64 with its attributes.
  maxMessageSizeBytes: 1_048_576,
} as const;
