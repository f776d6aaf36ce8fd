import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import type { RecordWrite } from './record-change.ts';

/**
 * Reads a stream record. Only deletions by DynamoDB's time to live have DynamoDB's identity (Amazon DynamoDB
 * developer guide, "DynamoDB Streams and Time to Live", read 2026-11-24).
 */
export function readStreamRecord({ eventID = '', dynamodb = {}, userIdentity }: DynamoDBRecord): RecordWrite {
  return {
    id: eventID,
    userUpload: String(recordOf(dynamodb.Keys)?.userUpload),
    before: recordOf(dynamodb.OldImage),
    after: recordOf(dynamodb.NewImage),
    isExpiry: userIdentity?.type === 'Service' && userIdentity.principalId === 'dynamodb.amazonaws.com',
  };
}

function recordOf(image: object | undefined): RecordWrite['before'] {
  // By default, `unmarshall` throws for numbers that JavaScript cannot represent. One such number, which only a manual write
  // can have stored, would block the changes of all documents in its shard.
  return image && unmarshall(image as Record<string, AttributeValue>, { wrapNumbers: Number });
}
