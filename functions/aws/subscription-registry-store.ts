import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { SubscriptionRegistry } from '../domain/subscription-registry.ts';
import { callDeadline } from './clients.ts';

/** Reads and writes the memory as a whole: whoever writes holds the lease. */
export type SubscriptionRegistryStore = {
  readonly read: (signal: AbortSignal) => Promise<SubscriptionRegistry>;
  readonly write: (memory: SubscriptionRegistry, signal: AbortSignal) => Promise<void>;
};

const id = 'subscription';

/** The memory in one item of the state table; empty at first. Throws when DynamoDB does not answer or refuses. */
export function createSubscriptionRegistryStore(client: DynamoDBClient, tableName: string): SubscriptionRegistryStore {
  return {
    read: async (signal) => {
      const command = new GetItemCommand({ TableName: tableName, Key: { id: { S: id } }, ConsistentRead: true });
      const { Item } = await client.send(command, { abortSignal: callDeadline(signal) });
      return Item ? (unmarshall(Item).memory as SubscriptionRegistry) : {};
    },
    write: async (memory, signal) => {
      const Item = marshall({ id, memory });
      await client.send(new PutItemCommand({ TableName: tableName, Item }), { abortSignal: callDeadline(signal) });
    },
  };
}
