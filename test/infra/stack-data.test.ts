import { describe, expect, test } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import { readStack, stages } from '../support/synthesized-stack.ts';

describe.each(stages)('in %s', (stage) => {
  const stack = readStack(stage);
  const table = () => stack.table().Properties;

  test('a record is found by its document', () => {
    expect(table().KeySchema).toEqual([{ AttributeName: 'userUpload', KeyType: 'HASH' }]);
  });

  test('the keys of records are found by account and by user', () => {
    expect(table().GlobalSecondaryIndexes).toEqual([
      keysOnlyIndex('byAccount', 'account'),
      keysOnlyIndex('byUser', 'user'),
    ]);
  });

  test('every key is a string', () => {
    expect(
      table().AttributeDefinitions.filter(({ AttributeType }: { AttributeType: string }) => AttributeType !== 'S'),
    ).toEqual([]);
  });

  test('the table is paid by request', () => {
    expect(table()).toMatchObject({ BillingMode: 'PAY_PER_REQUEST' });
    expect(table()).not.toHaveProperty('ProvisionedThroughput');
  });

  test('the stream shows a record before and after', () => {
    expect(table().StreamSpecification).toEqual({ StreamViewType: 'NEW_AND_OLD_IMAGES' });
  });

  test('the table can be brought back to any point in time', () => {
    expect(table().PointInTimeRecoverySpecification).toEqual({ PointInTimeRecoveryEnabled: true });
  });

  test('a tombstone goes when it expires', () => {
    expect(table().TimeToLiveSpecification).toEqual({ AttributeName: 'expiresAt', Enabled: true });
  });
});

describe('in production', () => {
  const stack = readStack('production');

  test('the table refuses to be deleted', () => {
    expect(stack.table().Properties.DeletionProtectionEnabled).toBe(true);
  });

  test('the stack refuses to be deleted', () => {
    expect(stack.manifest.terminationProtection).toBe(true);
  });

  test.each([
    ['AWS::DynamoDB::Table', 1],
    ['AWS::SecretsManager::Secret', 1],
    ['AWS::SQS::Queue', 2 * eventTypes.length + 1],
  ])('every %s outlives the stack and its own replacement', (type, count) => {
    const policies = stack
      .all(type)
      .map(({ DeletionPolicy, UpdateReplacePolicy }) => [DeletionPolicy, UpdateReplacePolicy]);
    expect(policies).toEqual(Array(count).fill(['Retain', 'Retain']));
  });
});

describe('in sandbox', () => {
  const stack = readStack('sandbox');

  test('the table lets itself be deleted', () => {
    expect(stack.table().Properties.DeletionProtectionEnabled).toBe(false);
  });

  test('the stack lets itself be deleted', () => {
    expect(stack.manifest.terminationProtection ?? false).toBe(false);
  });

  test.each(['AWS::DynamoDB::Table', 'AWS::SecretsManager::Secret', 'AWS::SQS::Queue'])(
    'every %s goes with the stack',
    (type) => {
      const policies = stack
        .all(type)
        .map(({ DeletionPolicy, UpdateReplacePolicy }) => [DeletionPolicy, UpdateReplacePolicy]);
      expect(policies).toEqual(policies.map(() => ['Delete', 'Delete']));
    },
  );

  test('nothing outlives the stack', () => {
    const kept = Object.entries<{ DeletionPolicy?: string }>(stack.template.toJSON().Resources).filter(
      ([, { DeletionPolicy }]) => DeletionPolicy !== undefined && DeletionPolicy !== 'Delete',
    );
    expect(kept).toEqual([]);
  });
});

function keysOnlyIndex(IndexName: string, AttributeName: string) {
  return { IndexName, KeySchema: [{ AttributeName, KeyType: 'HASH' }], Projection: { ProjectionType: 'KEYS_ONLY' } };
}
