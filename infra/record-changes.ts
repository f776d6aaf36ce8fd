import { CfnOutput, Duration, type RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Grant, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { eventTypes } from '../functions/domain/events.ts';
import { changeMetrics, changesService, workerMetrics } from '../functions/domain/metric-names.ts';
import { customMetric, sumOf } from './custom-metric.ts';
import { queueDefaults } from './event-pipeline.ts';
import type { Monitoring } from './monitoring.ts';
import { outputNames } from './output-names.ts';
import { UploadsFunction } from './uploads-function.ts';

export type RecordChangesProps = {
  readonly table: Table;
  readonly removalPolicy: RemovalPolicy;
  readonly monitoring: Monitoring;
};

/** Publishes each change of a record: the table's stream → a pipe that calls a function to describe it → an event bus. */
export class RecordChanges extends Construct {
  private readonly bus: EventBus;
  private readonly deadLetterQueue: Queue;

  constructor(scope: Construct, id: string, props: RecordChangesProps) {
    super(scope, id);
    const { table, removalPolicy, monitoring } = props;
    this.bus = new EventBus(this, 'Bus', { description: 'Changes of upload records.' });
    this.deadLetterQueue = new Queue(this, 'DeadLetterQueue', {
      ...queueDefaults,
      retentionPeriod: Duration.days(14),
      removalPolicy,
    });
    Validations.of(this.deadLetterQueue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'This is the dead-letter queue of a pipe. The rule does not recognize pipes.',
    });
    const describe = new UploadsFunction(this, 'Describe', {
      entry: 'record-changes',
      description: 'Turns changes of upload records into events for subscribers.',
      service: changesService,
      // The function calls no other service: ten records take milliseconds.
      timeout: Duration.seconds(10),
      environment: {},
      removalPolicy,
    });
    this.addPipe(table, describe);
    this.watch(monitoring);
    new CfnOutput(Stack.of(this), outputNames.changeBusName, {
      value: this.bus.eventBusName,
      description: 'The event bus on which changes of records are published as UploadRecordChanged.',
    });
  }

  private addPipe(table: Table, { lambda }: UploadsFunction): void {
    const role = new Role(this, 'PipeRole', {
      assumedBy: new ServicePrincipal('pipes.amazonaws.com').withConditions({
        StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
      }),
    });
    const grant = (arn: string, ...actions: string[]) =>
      Grant.addToPrincipal({ grantee: role, actions, resourceArns: [arn] });
    const streamArn = table.tableStreamArn ?? '';
    const streamActions = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'];
    const permissions = [
      grant(streamArn, ...streamActions.map((action) => `dynamodb:${action}`)),
      grant(this.deadLetterQueue.queueArn, 'sqs:SendMessage'),
      grant(lambda.functionArn, 'lambda:InvokeFunction'),
      grant(this.bus.eventBusArn, 'events:PutEvents'),
    ];

    const pipe = new CfnPipe(this, 'Pipe', {
      description: 'Changes of upload records.',
      roleArn: role.roleArn,
      source: streamArn,
      sourceParameters: {
        dynamoDbStreamParameters: {
          // Nothing subscribes to changes that happened before the pipe existed.
          startingPosition: 'LATEST',
          // The maximum of PutEvents. A pipe does not split a larger batch.
          batchSize: 10,
          deadLetterConfig: { arn: this.deadLetterQueue.queueArn },
          // A worker retries a webhook for about as long. The stream keeps a record for 24 hours. A failing record delays the
          // later records of its shard.
          maximumRecordAgeInSeconds: Duration.hours(6).toSeconds(),
          maximumRetryAttempts: 100,
          onPartialBatchItemFailure: 'AUTOMATIC_BISECT',
        },
      },
      enrichment: lambda.functionArn,
      target: this.bus.eventBusArn,
      targetParameters: {
        eventBridgeEventBusParameters: { source: 'argyle-uploads-receiver', detailType: 'UploadRecordChanged' },
      },
    });
    // EventBridge does not create a pipe whose role lacks these permissions.
    for (const permission of permissions) permission.applyBefore(pipe);
  }

  private watch(monitoring: Monitoring): void {
    const row = changesService;
    monitoring.watchMessages(this, 'ChangesNotPublished', {
      row,
      queue: this.deadLetterQueue,
      failureImpact:
        'Some changes of records were never published: the records are correct, but subscribers missed those changes.',
    });
    monitoring.watch(this, 'NothingPublished', {
      row,
      metric: this.changesWithoutPipe(),
      threshold: 1,
      // Two consecutive periods: a change at the end of one period may be described at the beginning of the next.
      periods: 2,
      failureImpact:
        'Changes of records are no longer published: the records are correct, but subscribers receive nothing.',
    });
    monitoring.graph(row, 'Changes a minute', {
      left: Object.values(changeMetrics).map((name) => customMetric(this, changesService, name)),
      stacked: true,
    });
  }

  // Counts the changes in a period in which the pipe did not call its function. AWS disables a pipe whose calls are denied
  // repeatedly ("error handling" in EventBridge's user guide, read 2026-11-25), and an operator may stop it. Neither causes a
  // dead letter. The function counts every write, including those that it does not publish.
  private changesWithoutPipe(): MathExpression {
    const period = Duration.minutes(30);
    const ofWorkers = eventTypes.map((event) => customMetric(this, event, workerMetrics.applied));
    const ofPipe = Object.values(changeMetrics).map((name) => customMetric(this, changesService, name));
    const changed = sumOf(ofWorkers, 'changed', period);
    const described = sumOf(ofPipe, 'described', period);
    return new MathExpression({
      expression: `IF(${described.expression} == 0, ${changed.expression}, 0)`,
      usingMetrics: { ...changed.usingMetrics, ...described.usingMetrics },
      label: 'changes while none was described',
      period,
    });
  }
}
