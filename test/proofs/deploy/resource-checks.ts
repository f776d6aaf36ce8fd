import assert from 'node:assert/strict';
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { type Properties, resolve } from '../../../tools/local/template.ts';
import { type DeployedStack, readQueueUrls } from './deployed-stack.ts';

/** Checks that every property of a queue in the template is an attribute of the deployed queue. */
export async function checkQueues({ sqs, template, identities }: DeployedStack): Promise<void> {
  for (const { logicalId, properties } of template.ofType('AWS::SQS::Queue')) {
    const { Tags: _, ...expected } = resolve<Properties>(properties, identities);
    const QueueUrl = resolve<string>({ Ref: logicalId }, identities);
    const { Attributes = {} } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
    const attributes: Readonly<Record<string, string | undefined>> = Attributes;
    // SQS returns every attribute as a string.
    const found = Object.entries(expected).map(([name, value]) => {
      const attribute = attributes[name];
      return [name, typeof value === 'string' || attribute === undefined ? attribute : JSON.parse(attribute)];
    });
    assert.deepEqual(Object.fromEntries(found), expected, `the attributes of ${logicalId}`);
  }
}

/** Checks that the table has the keys, indexes, stream, expiry, recovery and protection of the template. */
export async function checkTable({ dynamodb, table, tableName: TableName }: DeployedStack): Promise<void> {
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
  const { TimeToLiveDescription } = await dynamodb.send(new DescribeTimeToLiveCommand({ TableName }));
  const { ContinuousBackupsDescription } = await dynamodb.send(new DescribeContinuousBackupsCommand({ TableName }));
  const recovery = ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus;
  const { Tags: _, ...expected } = table.properties;
  const found = {
    KeySchema: Table?.KeySchema,
    AttributeDefinitions: Table?.AttributeDefinitions,
    BillingMode: Table?.BillingModeSummary?.BillingMode,
    DeletionProtectionEnabled: Table?.DeletionProtectionEnabled,
    GlobalSecondaryIndexes: Table?.GlobalSecondaryIndexes?.map(({ IndexName, KeySchema, Projection }) => ({
      IndexName,
      KeySchema,
      Projection,
    })),
    StreamSpecification: { StreamViewType: Table?.StreamSpecification?.StreamViewType },
    TimeToLiveSpecification: {
      AttributeName: TimeToLiveDescription?.AttributeName,
      Enabled: TimeToLiveDescription?.TimeToLiveStatus === 'ENABLED',
    },
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: recovery === 'ENABLED' },
  };
  assert.deepEqual(found, expected, 'the table');
}

/** Checks that the queues and the table of a deleted stack are gone, and that its URL answers 404. */
export async function checkGone({ sqs, dynamodb, tableName, template, post }: DeployedStack): Promise<void> {
  assert.deepEqual([...(await readQueueUrls(sqs, template.stackName)).values()], []);
  await assert.rejects(dynamodb.send(new DescribeTableCommand({ TableName: tableName })), ResourceNotFoundException);
  assert.equal((await post('{}')).code, 404);
}
