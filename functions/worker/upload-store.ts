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
 * `stale`: the record already has this event with the same or an earlier time. `expired`: the message is too old to create
 * a record, and there is none. `isRemoved`: whether the record is a tombstone now.
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
 * Creates the merge: one conditional UpdateItem that sets the event's slot if the slot is absent or later. Each slot is a
 * minimum, so any order and any number of repeats produce the same record. A removal also deletes `document` and sets the
 * record's expiry. Only after a failed condition is the record read, to distinguish stale from expired and to add a missing
 * `user`.
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
    if (record && !record.user && envelope.user) await addUser(client, tableName, envelope, deadline);
    if (record) return { kind: 'stale', isRemoved: isTombstone(record) };
    // No record: an old removal has nothing left to remove, and a record that expired between the write and the read was
    // a tombstone.
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
  const isEarlier = '(attribute_not_exists(#slot) OR #slot > :receivedAt)';
  return new UpdateItemCommand({
    TableName: tableName,
    Key: { userUpload: { S: userUpload } },
    UpdateExpression:
      `SET #slot = :receivedAt, #account = :account${user ? ', #user = :user' : ''}` +
      (isRemoval ? ', #expiresAt = :expiresAt REMOVE #document' : ''),
    ConditionExpression: mayCreate ? isEarlier : `attribute_exists(userUpload) AND ${isEarlier}`,
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

// Adds the user to a record that reconciliation created without one.
async function addUser(
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
    // The record has expired since, so no user is missing.
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

function isTombstone(record: Item | undefined): boolean {
  return record?.[removalSlot] !== undefined;
}
