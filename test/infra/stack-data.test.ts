import { describe, expect, test } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import { readStack, stages } from '../support/synthesized-stack.ts';

test.each(stages)('in %s, records are stored by upload, with KEYS_ONLY indexes by account and by user', (stage) => {
  const { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes } = readStack(stage).table().Properties;
  expect(KeySchema).toEqual([{ AttributeName: 'userUpload', KeyType: 'HASH' }]);
  expect(GlobalSecondaryIndexes).toEqual([keysOnlyIndex('byAccount', 'account'), keysOnlyIndex('byUser', 'user')]);
  expect(AttributeDefinitions).toEqual(
    ['userUpload', 'account', 'user'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
  );
});

test.each(stages)('in %s, the table is on demand, has a stream, backups and expiry', (stage) => {
  const { Properties } = readStack(stage).table();
  expect(Properties).toMatchObject({
    BillingMode: 'PAY_PER_REQUEST',
    StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
  });
  expect(Properties).not.toHaveProperty('ProvisionedThroughput');
});

describe('in production', () => {
  const stack = readStack('production');

  test('neither the table nor the stack can be deleted', () => {
    expect(stack.table().Properties.DeletionProtectionEnabled).toBe(true);
    expect(stack.manifest.terminationProtection).toBe(true);
  });

  test.each([
    ['AWS::DynamoDB::Table', 1],
    ['AWS::SecretsManager::Secret', 1],
    ['AWS::SQS::Queue', 2 * eventTypes.length + 1],
  ])('every %s is retained when it is replaced or the stack is deleted', (type, count) => {
    const policies = stack
      .all(type)
      .map(({ DeletionPolicy, UpdateReplacePolicy }) => [DeletionPolicy, UpdateReplacePolicy]);
    expect(policies).toEqual(Array(count).fill(['Retain', 'Retain']));
  });
});

describe('in sandbox', () => {
  const stack = readStack('sandbox');

  test('the table and the stack can be deleted', () => {
    expect(stack.table().Properties.DeletionProtectionEnabled).toBe(false);
    expect(stack.manifest.terminationProtection ?? false).toBe(false);
  });

  test('every table, secret and queue is deleted with the stack, and nothing is retained', () => {
    const resources = Object.values<Record<string, string>>(stack.template.toJSON().Resources);
    const isData = ({ Type = '' }) => /^AWS::(DynamoDB::Table|SecretsManager::Secret|SQS::Queue)$/.test(Type);
    for (const { DeletionPolicy, UpdateReplacePolicy } of resources.filter(isData))
      expect([DeletionPolicy, UpdateReplacePolicy]).toEqual(['Delete', 'Delete']);
    const retained = resources.filter(({ DeletionPolicy = 'Delete' }) => DeletionPolicy !== 'Delete');
    expect(retained).toEqual([]);
  });
});

function keysOnlyIndex(IndexName: string, AttributeName: string) {
  return { IndexName, KeySchema: [{ AttributeName, KeyType: 'HASH' }], Projection: { ProjectionType: 'KEYS_ONLY' } };
}
