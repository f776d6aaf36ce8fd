import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { callAws } from './aws-request.ts';

// The same call as a worker without credentials for Argyle, with nothing around it.
const { AWS_ENDPOINT_URL_DYNAMODB = '', TABLE_NAME } = process.env;

/** Called by AWS: one conditional write for each record, and one line. */
export async function handler(batch: SQSEvent) {
  const startedMs = Date.now();
  const statuses = await Promise.all(batch.Records.map(apply));
  console.log(JSON.stringify({ service: 'floor', statuses, DurationMs: Date.now() - startedMs }));
  return { batchItemFailures: [] };
}

async function apply({ body, messageAttributes }: SQSRecord): Promise<number> {
  const { data } = JSON.parse(body) as { data: { user_upload: string; account: string; user: string } };
  const { status } = await callAws('dynamodb', AWS_ENDPOINT_URL_DYNAMODB, 'DynamoDB_20120810.UpdateItem', '1.0', {
    TableName: TABLE_NAME,
    Key: { userUpload: { S: data.user_upload } },
    UpdateExpression: 'SET #slot = :receivedAt, #account = :account, #user = :user',
    ConditionExpression: '(attribute_not_exists(#slot) OR #slot > :receivedAt)',
    ExpressionAttributeNames: { '#slot': 'addedAt', '#account': 'account', '#user': 'user' },
    ExpressionAttributeValues: {
      ':receivedAt': { S: messageAttributes.receivedAt?.stringValue },
      ':account': { S: data.account },
      ':user': { S: data.user },
    },
    ReturnValues: 'ALL_NEW',
  });
  return status;
}
