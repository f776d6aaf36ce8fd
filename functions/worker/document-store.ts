import { ConditionalCheckFailedException, type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { callDeadline } from '../aws/clients.ts';
import { removalSlot } from '../domain/upload-record.ts';
import type { Document } from '../domain/user-upload.ts';

/** `older`: the record has a newer document or has been removed. */
export type WriteOutcome = 'written' | 'older';

/** Writes a document into its record. `fetchedAt`: when it was requested from Argyle. Throws when DynamoDB does not answer or refuses. */
export type WriteDocument = (
  userUpload: string,
  document: Document,
  fetchedAt: string,
  deadline: AbortSignal,
) => Promise<WriteOutcome>;

/**
 * Creates the second write of a record. It replaces `document` only by a later one, by `updatedAt` and then by `fetchedAt`, and
 * never restores it once the record is removed. Any order of fetches therefore produces the same record.
 */
export function createWriteDocument(client: DynamoDBClient, tableName: string): WriteDocument {
  return async (userUpload, document, fetchedAt, deadline) => {
    const command = new UpdateItemCommand({
      TableName: tableName,
      Key: { userUpload: { S: userUpload } },
      UpdateExpression: 'SET #document = :document',
      ConditionExpression:
        'attribute_exists(userUpload) AND attribute_not_exists(#removedAt) AND (attribute_not_exists(#document)' +
        ' OR #document.#updatedAt < :updatedAt' +
        ' OR (#document.#updatedAt = :updatedAt AND #document.#fetchedAt < :fetchedAt))',
      ExpressionAttributeNames: {
        '#document': 'document',
        '#updatedAt': 'updatedAt',
        '#fetchedAt': 'fetchedAt',
        '#removedAt': removalSlot,
      },
      ExpressionAttributeValues: {
        ':document': { M: marshall({ ...document, fetchedAt }) },
        ':updatedAt': { S: document.updatedAt },
        ':fetchedAt': { S: fetchedAt },
      },
    });
    try {
      await client.send(command, { abortSignal: callDeadline(deadline) });
      return 'written';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'older';
      throw error;
    }
  };
}
