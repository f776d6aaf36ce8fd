import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Sleep } from '../argyle/retry.ts';
import { updateIf } from './conditional-update.ts';

/** Two attributes of an item in the state table: the owner, and the expiry in epoch milliseconds. The item may have others. */
export type Lease = {
  readonly tableName: string;
  readonly id: string;
  readonly attributes: { readonly owner: string; readonly expiry: string };
};

/** Runs work under a lease, so that no two owners work at the same time. `work` gets a signal that limits its time. */
export type WithLease = <Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  deadline: AbortSignal,
) => Promise<Result>;

export type WithLeaseDependencies = {
  readonly tableName: string;
  readonly id: string;
  /** Unique for each execution environment. */
  readonly owner: string;
  readonly nowMs: () => number;
  readonly sleep: Sleep;
};

/** The time limit of work under a lease. */
export const leasedWorkMs = 45_000;
// If the owner crashes, the lease must not expire before the owner's last calls have ended.
const leaseMs = leasedWorkMs + 15_000;
const pollMs = 1_000;

/**
 * Takes a lease until `expiresAtMs` if it is free, has expired, or already belongs to `owner`: the answer to an earlier try may
 * have been lost. Returns all attributes of the item, or undefined when another owner has the lease.
 */
export async function takeLease(
  client: DynamoDBClient,
  { tableName, id, attributes }: Lease,
  { owner, nowMs, expiresAtMs }: { readonly owner: string; readonly nowMs: number; readonly expiresAtMs: number },
  deadline?: AbortSignal,
): Promise<Readonly<Record<string, AttributeValue>> | undefined> {
  const update = {
    TableName: tableName,
    Key: { id: { S: id } },
    // Earlier releases set `expiresAt` on some leases. DynamoDB's TTL must not delete a lease that is taken.
    UpdateExpression: 'SET #owner = :owner, #expiry = :expiry REMOVE expiresAt',
    ConditionExpression: 'attribute_not_exists(#expiry) OR #expiry < :now OR #owner = :owner',
    ExpressionAttributeNames: { '#owner': attributes.owner, '#expiry': attributes.expiry },
    ExpressionAttributeValues: {
      ':owner': { S: owner },
      ':now': { N: String(nowMs) },
      ':expiry': { N: String(expiresAtMs) },
    },
    ReturnValues: 'ALL_NEW',
  } as const;
  return updateIf(client, update, deadline);
}

/** Frees a lease. Does nothing when another owner has it. */
export async function releaseLease(
  client: DynamoDBClient,
  { tableName, id, attributes }: Lease,
  owner: string,
): Promise<void> {
  await updateIf(client, {
    TableName: tableName,
    Key: { id: { S: id } },
    // Sets the expiry to 0 instead of removing it: after a rollback, earlier releases treat only an expired lease as free.
    UpdateExpression: 'SET #expiry = :expired',
    ConditionExpression: '#owner = :owner',
    ExpressionAttributeNames: { '#owner': attributes.owner, '#expiry': attributes.expiry },
    ExpressionAttributeValues: { ':owner': { S: owner }, ':expired': { N: '0' } },
  });
}

/**
 * Creates a function that waits until the lease is free, runs the work and frees the lease. It rejects when `deadline` aborts. If
 * the owner crashes, the lease expires after a minute. Two functions share the lease, so a reserved concurrency of 1 would not be
 * enough: it limits each function separately.
 */
export function createWithLease(client: DynamoDBClient, dependencies: WithLeaseDependencies): WithLease {
  const { tableName, id, owner, nowMs, sleep } = dependencies;
  const lease = { tableName, id, attributes: { owner: 'owner', expiry: 'untilMs' } };
  const take = (deadline: AbortSignal) =>
    takeLease(client, lease, { owner, nowMs: nowMs(), expiresAtMs: nowMs() + leaseMs }, deadline);
  return async (work, deadline) => {
    while (!(await take(deadline))) await sleep(pollMs, deadline);
    try {
      return await work(AbortSignal.any([deadline, AbortSignal.timeout(leasedWorkMs)]));
    } finally {
      // The work is done. A lease that could not be freed expires.
      await releaseLease(client, lease, owner).catch(() => undefined);
    }
  };
}
