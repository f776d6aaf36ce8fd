import { type AttributeValue, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { callDeadline } from '../aws/clients.ts';
import { updateIf } from '../aws/conditional-update.ts';
import type { Envelope } from '../domain/envelope.ts';
import { events } from '../domain/events.ts';
import { expiryOf, removalSlot } from '../domain/upload-record.ts';

/**
 * `stale`: the record already has this event with the same or an earlier time. `expired`: the message is too old to create
 * a record, and there is none. `owner_conflict`: the record has another account or user, and stays the same. `isRemoved`: whether
 * the record is a tombstone now. `documentFetchedAt`: when its document was requested from Argyle.
 */
export type ApplyOutcome =
  | { readonly kind: 'applied' | 'stale'; readonly isRemoved: boolean; readonly documentFetchedAt?: string | undefined }
  | { readonly kind: 'expired' }
  | { readonly kind: 'owner_conflict' };

/** Merges one event into the record of its document. Throws when DynamoDB does not answer or refuses. */
export type ApplyEvent = (
  envelope: Envelope,
  receivedAt: string,
  options: { readonly mayCreate: boolean; readonly deadline?: AbortSignal },
) => Promise<ApplyOutcome>;

type Item = Readonly<Record<string, AttributeValue>>;

/**
 * Creates the merge: one conditional UpdateItem that sets the event's slot if the slot is absent or later and the record has no other
 * owner. Each slot is the earliest time, so any order and any number of repeats of one owner's events produce the same record. A
 * removal also deletes `document` and sets the record's expiry. The merge reads the record only after a failed condition, to
 * distinguish stale, expired and conflicting events, and to add a missing `user`.
 */
export function createApplyEvent(client: DynamoDBClient, tableName: string, retentionDays: number): ApplyEvent {
  return async (envelope, receivedAt, { mayCreate, deadline }) => {
    const target = { TableName: tableName, Key: { userUpload: { S: envelope.userUpload } } };
    const read = async (): Promise<Item | undefined> => {
      const command = new GetItemCommand({ ...target, ...readAttributes, ConsistentRead: true });
      return (await client.send(command, { abortSignal: callDeadline(deadline) })).Item;
    };
    const merge = mergeOf(envelope, receivedAt, retentionDays, mayCreate);
    const merged = await updateIf(client, { ...target, ...merge, ReturnValues: 'ALL_NEW' }, deadline);
    if (merged) return { kind: 'applied', ...factsOf(merged) };

    let record = await read();
    // Only reconciliation creates a record without a user.
    if (record && !record.user && envelope.user && record.account?.S === envelope.account) {
      const addition = { ...target, ...additionOf(envelope.user) };
      // When the condition fails, another event has added its user after the read, or the record has expired.
      if (!(await updateIf(client, addition, deadline))) record = await read();
    }
    return refusalOf(envelope, record, mayCreate);
  };
}

// The outcome of an event whose write was refused, given the record.
function refusalOf(envelope: Envelope, record: Item | undefined, mayCreate: boolean): ApplyOutcome {
  if (record) {
    const isForeign = record.account?.S !== envelope.account || !isSameUser(record.user?.S, envelope.user);
    return isForeign ? { kind: 'owner_conflict' } : { kind: 'stale', ...factsOf(record) };
  }
  // An old removal has nothing left to remove, and a record that expired between the write and the read was a tombstone.
  const isRemoval = events[envelope.event].slot === removalSlot;
  return mayCreate || isRemoval ? { kind: 'stale', isRemoved: true } : { kind: 'expired' };
}

// An event of reconciliation may have no user, and neither may a record that it created.
function isSameUser(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

const readAttributes = {
  ProjectionExpression: 'userUpload, #account, #user, #removedAt, #document.#fetchedAt',
  ExpressionAttributeNames: {
    '#account': 'account',
    '#user': 'user',
    '#removedAt': removalSlot,
    '#document': 'document',
    '#fetchedAt': 'fetchedAt',
  },
};

function mergeOf({ event, account, user }: Envelope, receivedAt: string, retentionDays: number, mayCreate: boolean) {
  const { slot } = events[event];
  const isRemoval = slot === removalSlot;
  const conditions = [
    ...(mayCreate ? [] : ['attribute_exists(userUpload)']),
    '(attribute_not_exists(#slot) OR #slot > :receivedAt)',
    '(attribute_not_exists(#account) OR #account = :account)',
    ...(user ? ['(attribute_not_exists(#user) OR #user = :user)'] : []),
  ];
  return {
    UpdateExpression:
      `SET #slot = :receivedAt, #account = :account${user ? ', #user = :user' : ''}` +
      (isRemoval ? ', #expiresAt = :expiresAt REMOVE #document' : ''),
    ConditionExpression: conditions.join(' AND '),
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
    ConditionExpression: 'attribute_exists(userUpload) AND attribute_not_exists(#user)',
    ExpressionAttributeNames: { '#user': 'user' },
    ExpressionAttributeValues: { ':user': { S: user } },
  };
}

function factsOf(record: Item) {
  return { isRemoved: record[removalSlot] !== undefined, documentFetchedAt: record.document?.M?.fetchedAt?.S };
}
