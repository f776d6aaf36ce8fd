import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ConditionalCheckFailedException, DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { Sleep } from '../argyle/retry.ts';
import { callDeadline } from './clients.ts';

/** Does work that nobody else with the same lease does at the same time. The work gets a signal that ends its time. */
export type WithLease = <Result>(work: (signal: AbortSignal) => Promise<Result>, whole: AbortSignal) => Promise<Result>;

/** What a lease needs from outside; `owner` is unlike any other holder's. */
export type LeaseOptions = {
  readonly tableName: string;
  readonly id: string;
  readonly owner: string;
  readonly nowMs: () => number;
  readonly sleep: Sleep;
};

/** How long one piece of work may take. */
export const leasedWorkMs = 45_000;
// The holder may die: then the lease ends by itself, and not before the holder's last call has ended.
const leaseMs = leasedWorkMs + 15_000;
const pauseMs = 1_000;

/**
 * Gives a lease in the state table: taken by a conditional write, given back after the work, free again by itself after
 * a minute. Waits for it until `whole` aborts. Not the function's reserved concurrency: two functions share this.
 */
export function createWithLease(client: DynamoDBClient, options: LeaseOptions): WithLease {
  return async (work, whole) => {
    while (!(await take(client, options, whole))) await options.sleep(pauseMs, whole);
    try {
      return await work(AbortSignal.any([whole, AbortSignal.timeout(leasedWorkMs)]));
    } finally {
      await giveBack(client, options);
    }
  };
}

async function take(
  client: DynamoDBClient,
  { tableName, id, owner, nowMs }: LeaseOptions,
  whole: AbortSignal,
): Promise<boolean> {
  const command = new PutItemCommand({
    TableName: tableName,
    Item: {
      id: { S: id },
      owner: { S: owner },
      untilMs: { N: String(nowMs() + leaseMs) },
      // The table's own clean-up, in seconds.
      expiresAt: { N: String(Math.ceil((nowMs() + leaseMs) / 1_000)) },
    },
    // Its own: the answer to an earlier try was lost on its way.
    ConditionExpression: 'attribute_not_exists(id) OR untilMs < :now OR #owner = :owner',
    ExpressionAttributeNames: { '#owner': 'owner' },
    ExpressionAttributeValues: { ':now': { N: String(nowMs()) }, ':owner': { S: owner } },
  });
  try {
    await client.send(command, { abortSignal: callDeadline(whole) });
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

async function giveBack(client: DynamoDBClient, { tableName, id, owner }: LeaseOptions): Promise<void> {
  const command = new DeleteItemCommand({
    TableName: tableName,
    Key: { id: { S: id } },
    ConditionExpression: '#owner = :owner',
    ExpressionAttributeNames: { '#owner': 'owner' },
    ExpressionAttributeValues: { ':owner': { S: owner } },
  });
  // Whatever goes wrong: the work is done, and the lease ends by itself.
  await client.send(command, { abortSignal: callDeadline() }).catch(() => undefined);
}
