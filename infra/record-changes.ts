import { CfnOutput, Duration, type RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Grant, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { changesService } from '../functions/domain/metric-names.ts';
import { watchChanges } from './changes-monitoring.ts';
import { queueDefaults } from './event-pipeline.ts';
import type { Monitoring } from './monitoring.ts';
import { outputNames } from './output-names.ts';
import { UploadsFunction } from './uploads-function.ts';

/** What the publishing of changes is made from. */
export type RecordChangesProps = {
  readonly table: Table;
  readonly removalPolicy: RemovalPolicy;
  readonly monitoring: Monitoring;
};

/** Publishes each change of a record: the table's stream → a pipe, which has it described → an event bus of its own. */
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
      reason: 'It is the dead-letter queue of a pipe, which the rule does not know.',
    });
    const describe = new UploadsFunction(this, 'Describe', {
      entry: 'record-changes',
      description: 'Describes changes of upload records for those who are told of them.',
      service: changesService,
      // It calls nothing: ten records take milliseconds.
      timeout: Duration.seconds(10),
      environment: {},
      removalPolicy,
    });
    this.addPipe(table, describe);
    watchChanges(this, monitoring, this.deadLetterQueue);
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
    const reading = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'];
    const permissions = [
      grant(streamArn, ...reading.map((action) => `dynamodb:${action}`)),
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
          // Not what happened before: nobody listened.
          startingPosition: 'LATEST',
          // What an event bus takes at once; a pipe does not call it with more.
          batchSize: 10,
          deadLetterConfig: { arn: this.deadLetterQueue.queueArn },
          // As long as a webhook is tried, and far shorter than the day for which the stream keeps a record. What fails
          // holds up the later changes of its shard.
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
    // A pipe is not made without them.
    for (const permission of permissions) permission.applyBefore(pipe);
  }
}
