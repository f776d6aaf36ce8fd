import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Envelope } from '../domain/envelope.ts';
import { events } from '../domain/events.ts';
import { expiryOf, removalSlot } from '../domain/upload-record.ts';
import { callDeadline } from './clients.ts';

/** `stale`: the record already knows of this event, as early or earlier. `expired`: too old, and there is no record. */
export type ApplyOutcome = 'applied' | 'stale' | 'expired';

/** Merges one event into the record of its document. Throws when DynamoDB does not answer or refuses. */
export type ApplyEvent = (
  envelope: Envelope,
  receivedAt: string,
  options: { readonly mayCreate: boolean },
) => Promise<ApplyOutcome>;

/**
 * Gives the merge: one conditional UpdateItem that sets the event's slot if it is absent or later. Each slot is a
 * minimum, so any order and any repeats end in the same record. A removal also takes `document` away and sets the
 * record's expiry. Only a refused message that may not create is followed by a read, to tell stale from expired.
 */
export function createApplyEvent(client: DynamoDBClient, tableName: string, retentionDays: number): ApplyEvent {
  return async (envelope, receivedAt, { mayCreate }) => {
    try {
      await client.send(updateCommand(tableName, retentionDays, envelope, receivedAt, mayCreate), {
        abortSignal: callDeadline(),
      });
      return 'applied';
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
    if (mayCreate || (await recordExists(client, tableName, envelope.userUpload))) return 'stale';
    // There is nothing left to remove, so an old removal has got what it wants.
    return events[envelope.event].slot === removalSlot ? 'stale' : 'expired';
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
      'SET #slot = :receivedAt, #account = :account, #user = :user' +
      (isRemoval ? ', #expiresAt = :expiresAt REMOVE #document' : ''),
    ConditionExpression: mayCreate ? isNews : `attribute_exists(userUpload) AND ${isNews}`,
    ExpressionAttributeNames: {
      '#slot': slot,
      '#account': 'account',
      '#user': 'user',
      ...(isRemoval && { '#expiresAt': 'expiresAt', '#document': 'document' }),
    },
    ExpressionAttributeValues: {
      ':receivedAt': { S: receivedAt },
      ':account': { S: account },
      ':user': { S: user },
      ...(isRemoval && { ':expiresAt': { N: String(expiryOf(receivedAt, retentionDays)) } }),
    },
  });
}

async function recordExists(client: DynamoDBClient, tableName: string, userUpload: string): Promise<boolean> {
  const { Item } = await client.send(
    new GetItemCommand({
      TableName: tableName,
      Key: { userUpload: { S: userUpload } },
      ProjectionExpression: 'userUpload',
      ConsistentRead: true,
    }),
    { abortSignal: callDeadline() },
  );
  return Item !== undefined;
}
