import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { updateIf } from '../aws/conditional-update.ts';
import { removalSlot } from '../domain/upload-record.ts';
import type { Document } from '../domain/user-upload.ts';

/**
 * Writes a document into its record; returns `older` when the record has a newer or equal document, is removed, or does not
 * exist. `fetchedAt`: when it was requested from Argyle. Throws when DynamoDB does not answer or refuses.
 */
export type WriteDocument = (
  userUpload: string,
  document: Document,
  fetchedAt: string,
  deadline: AbortSignal,
) => Promise<'written' | 'older'>;

/**
 * Creates the write of a document, which follows the event's write to the same record. It replaces `document` only with a later
 * one, compared by `updatedAt` and then by `fetchedAt`, and never restores it once the record is removed. Any order of fetches
 * therefore produces the same record.
 */
export function createWriteDocument(client: DynamoDBClient, tableName: string): WriteDocument {
  return async (userUpload, document, fetchedAt, deadline) => {
    const update = {
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
    };
    return (await updateIf(client, update, deadline)) ? 'written' : 'older';
  };
}
