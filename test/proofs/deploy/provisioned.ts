import assert from 'node:assert/strict';
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { type Properties, resolve } from '../../../tools/local/template.ts';
import type { DeployedStack } from './deployed-stack.ts';

/** Every property that the template gives to a queue has become an attribute of that queue. */
export async function checkQueues({ sqs, template, identities }: DeployedStack): Promise<void> {
  for (const { logicalId, properties } of template.ofType('AWS::SQS::Queue')) {
    const { Tags: _, ...expected } = resolve<Properties>(properties, identities);
    const QueueUrl = resolve({ Ref: logicalId }, identities);
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
    const attributes = new Map(Object.entries(Attributes ?? {}));
    const found = Object.entries(expected).map(([name, value]) => [name, readAs(typeof value, attributes.get(name))]);
    assert.deepEqual(Object.fromEntries(found), expected, `the attributes of ${logicalId}`);
  }
}

/** The table has the template's keys, indexes, stream, expiry, recovery and protection. */
export async function checkTable({ dynamodb, table, tableName: TableName }: DeployedStack): Promise<void> {
  const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
  const { TimeToLiveDescription } = await dynamodb.send(new DescribeTimeToLiveCommand({ TableName }));
  const { ContinuousBackupsDescription } = await dynamodb.send(new DescribeContinuousBackupsCommand({ TableName }));
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
    PointInTimeRecoverySpecification: {
      PointInTimeRecoveryEnabled:
        ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED',
    },
  };
  assert.deepEqual(found, expected, 'the table');
}

// SQS gives every attribute as a string.
function readAs(type: string, value: string | undefined): unknown {
  return type === 'string' || value === undefined ? value : JSON.parse(value);
}
