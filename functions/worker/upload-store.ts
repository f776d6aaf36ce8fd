import { type AttributeValue, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { callDeadline } from '../aws/clients.ts';
import { updateIf } from '../aws/conditional-update.ts';
import type { Envelope } from '../domain/envelope.ts';
import { events } from '../domain/events.ts';
import { expiryOf, removalSlot } from '../domain/upload-record.ts';

/**
 * `stale`: the record already has this event with the same or an earlier time. `expired`: the message is too old to create
 * a record, and there is none. `isRemoved`: whether the record is a tombstone now. `documentFetchedAt`: when its document was
 * requested from Argyle.
 */
export type ApplyOutcome =
  | { readonly kind: 'applied' | 'stale'; readonly isRemoved: boolean; readonly documentFetchedAt?: string | undefined }
  | { readonly kind: 'expired' };

/** Merges one event into the record of its document. Throws when DynamoDB does not answer or refuses. */
export type ApplyEvent = (
  envelope: Envelope,
  receivedAt: string,
  options: { readonly mayCreate: boolean; readonly deadline?: AbortSignal },
) => Promise<ApplyOutcome>;

type Item = Readonly<Record<string, AttributeValue>>;

/**
 * Creates the merge: one conditional UpdateItem that sets the event's slot if the slot is absent or later. Each slot is
 * the earliest time, so any order and any number of repeats produce the same record. A removal also deletes `document` and sets the
 * record's expiry. The merge reads the record only after a failed condition, to distinguish stale from expired and to add a
 * missing `user`.
 */
export function createApplyEvent(client: DynamoDBClient, tableName: string, retentionDays: number): ApplyEvent {
  return async (envelope, receivedAt, { mayCreate, deadline }) => {
    const target = { TableName: tableName, Key: { userUpload: { S: envelope.userUpload } } };
    const merge = mergeOf(envelope, receivedAt, retentionDays, mayCreate);
    const merged = await updateIf(client, { ...target, ...merge, ReturnValues: 'ALL_NEW' }, deadline);
    if (merged) return { kind: 'applied', ...factsOf(merged) };

    const read = new GetItemCommand({
      ...target,
      ProjectionExpression: 'userUpload, #user, #removedAt, #document.#fetchedAt',
      ExpressionAttributeNames: {
        '#user': 'user',
        '#removedAt': removalSlot,
        '#document': 'document',
        '#fetchedAt': 'fetchedAt',
      },
      ConsistentRead: true,
    });
    const { Item: record } = await client.send(read, { abortSignal: callDeadline(deadline) });
    // No record: an old removal has nothing left to remove, and a record that expired between the write and the read was
    // a tombstone.
    const isRemoval = events[envelope.event].slot === removalSlot;
    if (!record) return mayCreate || isRemoval ? { kind: 'stale', isRemoved: true } : { kind: 'expired' };
    // Only reconciliation creates a record without a user. If the record expired after the read, this update does nothing.
    if (!record.user && envelope.user) await updateIf(client, { ...target, ...additionOf(envelope.user) }, deadline);
    return { kind: 'stale', ...factsOf(record) };
  };
}

function mergeOf({ event, account, user }: Envelope, receivedAt: string, retentionDays: number, mayCreate: boolean) {
  const { slot } = events[event];
  const isRemoval = slot === removalSlot;
  const isEarlier = '(attribute_not_exists(#slot) OR #slot > :receivedAt)';
  return {
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
  };
}

function additionOf(user: string) {
  return {
    UpdateExpression: 'SET #user = :user',
    ConditionExpression: 'attribute_exists(userUpload)',
    ExpressionAttributeNames: { '#user': 'user' },
    ExpressionAttributeValues: { ':user': { S: user } },
  };
}

function factsOf(record: Item) {
  return { isRemoved: record[removalSlot] !== undefined, documentFetchedAt: record.document?.M?.fetchedAt?.S };
}
