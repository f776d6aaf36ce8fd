import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { SubscriptionRegistry } from '../domain/subscription-registry.ts';
import { callDeadline } from './clients.ts';

/** Reads and replaces the registry. The caller of `write` must have the lease. */
export type SubscriptionRegistryStore = {
  readonly read: (signal: AbortSignal) => Promise<SubscriptionRegistry>;
  readonly write: (registry: SubscriptionRegistry, signal: AbortSignal) => Promise<void>;
};

const id = 'subscription';

/** Stores the registry in one item of the state table, in the attribute `memory`. Throws when DynamoDB fails. */
export function createSubscriptionRegistryStore(client: DynamoDBClient, tableName: string): SubscriptionRegistryStore {
  return {
    read: async (signal) => {
      const command = new GetItemCommand({ TableName: tableName, Key: { id: { S: id } }, ConsistentRead: true });
      const { Item } = await client.send(command, { abortSignal: callDeadline(signal) });
      return Item ? (unmarshall(Item).memory as SubscriptionRegistry) : {};
    },
    write: async (registry, signal) => {
      const Item = marshall({ id, memory: registry });
      await client.send(new PutItemCommand({ TableName: tableName, Item }), { abortSignal: callDeadline(signal) });
    },
  };
}
