import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { callDeadline } from '../aws/clients.ts';
import type { Envelope } from '../domain/envelope.ts';
import { events } from '../domain/events.ts';
import { expiryOf, removalSlot } from '../domain/upload-record.ts';

/**
 * `stale`: the record already knows of this event, as early or earlier. `expired`: too old, and there is no record.
 * `isRemoved`: whether the record is a tombstone now.
 */
export type ApplyOutcome =
  | { readonly kind: 'applied' | 'stale'; readonly isRemoved: boolean }
  | { readonly kind: 'expired' };

/** Merges one event into the record of its document. Throws when DynamoDB does not answer or refuses. */
export type ApplyEvent = (
  envelope: Envelope,
  receivedAt: string,
  options: { readonly mayCreate: boolean; readonly deadline?: AbortSignal },
) => Promise<ApplyOutcome>;

type Item = Readonly<Record<string, AttributeValue>>;

/**
 * Gives the merge: one conditional UpdateItem that sets the event's slot if it is absent or later. Each slot is a
 * minimum, so any order and any repeats end in the same record. A removal also takes `document` away and sets the
 * record's expiry. Only a refused write is followed by a read, to tell stale from expired and whether the record lacks
 * the `user` that this event brings.
 */
export function createApplyEvent(client: DynamoDBClient, tableName: string, retentionDays: number): ApplyEvent {
  return async (envelope, receivedAt, { mayCreate, deadline }) => {
    try {
      const { Attributes } = await client.send(
        updateCommand(tableName, retentionDays, envelope, receivedAt, mayCreate),
        { abortSignal: callDeadline(deadline) },
      );
      return { kind: 'applied', isRemoved: isTombstone(Attributes) };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
    const record = await readRecord(client, tableName, envelope.userUpload, deadline);
    if (record && !record.user && envelope.user) await fillUser(client, tableName, envelope, deadline);
    if (record) return { kind: 'stale', isRemoved: isTombstone(record) };
    // There is nothing left to remove, so an old removal has got what it wants. A record that expired between the
    // write and the read was a tombstone.
    const isRemoval = events[envelope.event].slot === removalSlot;
    return mayCreate || isRemoval ? { kind: 'stale', isRemoved: true } : { kind: 'expired' };
  };
}

function updateCommand(
  tableName: string,
  retentionDays: number,
  { event, account, user, userUpload }: Envelope,
  receivedAt: string,
  mayCreate: boolean,
): UpdateItemCommand {
  const { slot } = events[event];
  const isRemoval = slot === removalSlot;
  const isNews = '(attribute_not_exists(#slot) OR #slot > :receivedAt)';
  return new UpdateItemCommand({
    TableName: tableName,
    Key: { userUpload: { S: userUpload } },
    UpdateExpression:
      `SET #slot = :receivedAt, #account = :account${user ? ', #user = :user' : ''}` +
      (isRemoval ? ', #expiresAt = :expiresAt REMOVE #document' : ''),
    ConditionExpression: mayCreate ? isNews : `attribute_exists(userUpload) AND ${isNews}`,
    ExpressionAttributeNames: {
      '#slot': slot,
      '#account': 'account',
      ...(user && { '#user': 'user' }),
      ...(isRemoval && { '#expiresAt': 'expiresAt', '#document': 'document' }),
    },
    ExpressionAttributeValues: {
      ':receivedAt': { S: receivedAt },
      ':account': { S: account },
      ...(user && { ':user': { S: user } }),
      ...(isRemoval && { ':expiresAt': { N: String(expiryOf(receivedAt, retentionDays)) } }),
    },
    ReturnValues: 'ALL_NEW',
  });
}

async function readRecord(
  client: DynamoDBClient,
  tableName: string,
  userUpload: string,
  deadline: AbortSignal | undefined,
): Promise<Item | undefined> {
  const { Item } = await client.send(
    new GetItemCommand({
      TableName: tableName,
      Key: { userUpload: { S: userUpload } },
      ProjectionExpression: 'userUpload, #user, #removedAt',
      ExpressionAttributeNames: { '#user': 'user', '#removedAt': removalSlot },
      ConsistentRead: true,
    }),
    { abortSignal: callDeadline(deadline) },
  );
  return Item;
}

// Reconciliation made the record, without a user; a webhook knows it.
async function fillUser(
  client: DynamoDBClient,
  tableName: string,
  { userUpload, user = '' }: Envelope,
  deadline: AbortSignal | undefined,
): Promise<void> {
  const command = new UpdateItemCommand({
    TableName: tableName,
    Key: { userUpload: { S: userUpload } },
    UpdateExpression: 'SET #user = :user',
    ConditionExpression: 'attribute_exists(userUpload)',
    ExpressionAttributeNames: { '#user': 'user' },
    ExpressionAttributeValues: { ':user': { S: user } },
  });
  try {
    await client.send(command, { abortSignal: callDeadline(deadline) });
  } catch (error) {
    // The record expired meanwhile: nothing is left that lacks a user.
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

function isTombstone(record: Item | undefined): boolean {
  return record?.[removalSlot] !== undefined;
}
