import { type AttributeValue, DynamoDBClient, GetItemCommand, paginateQuery } from '@aws-sdk/client-dynamodb';
import { type NativeAttributeValue, unmarshall } from '@aws-sdk/util-dynamodb';
import { statusOf, type UploadStatus } from '../../functions/domain/upload-record.ts';
import { mapInParts } from './map-in-parts.ts';
import { type Report, tableOf } from './report.ts';
import { type Target, UsageError } from './target.ts';

type UploadRecord = Readonly<Record<string, NativeAttributeValue>> & { readonly status: UploadStatus };

/** Prints the record of one document and returns whether there is one. */
export async function showRecord(target: Target, report: Report, userUpload: string): Promise<boolean> {
  const record = await readRecord(clientOf(target), target.uploadTableName, userUpload);
  if (record) report.result(record, JSON.stringify(record, undefined, 2));
  else report.result({ userUpload, found: false }, `There is no record of ${userUpload}.`);
  return record !== undefined;
}

/** Prints the documents of a user or an account. */
export async function listRecords(
  target: Target,
  report: Report,
  { user, account, status }: { readonly user?: string; readonly account?: string; readonly status?: UploadStatus },
): Promise<void> {
  const owner = user ?? account;
  if (!owner) throw new UsageError('Choose the owner of the documents: --user ID or --account ID.');
  const dynamodb = clientOf(target);
  const keys = await readKeys(dynamodb, target.uploadTableName, user ? 'user' : 'account', owner);
  const records = await mapInParts(keys, (key) => readRecord(dynamodb, target.uploadTableName, key));
  // A record may have expired since its key was read.
  const shown = records
    .filter((record) => record !== undefined)
    .filter((record) => record.status === (status ?? record.status));
  const rows = shown.map((record) => ({ ...record, type: record.document?.type }));
  const columns = { userUpload: 'upload', status: 'status', type: 'type', addedAt: 'added' };
  report.result(shown, shown.length > 0 ? tableOf(columns, rows) : 'No records.');
}

/** Reads the record of one document with its status; undefined when there is none. */
export async function readRecord(
  dynamodb: DynamoDBClient,
  TableName: string,
  userUpload: string,
): Promise<UploadRecord | undefined> {
  const Key = { userUpload: { S: userUpload } };
  const { Item } = await dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
  return Item && recordOf(Item);
}

async function readKeys(
  client: DynamoDBClient,
  TableName: string,
  key: 'user' | 'account',
  owner: string,
): Promise<string[]> {
  const pages = paginateQuery(
    { client },
    {
      TableName,
      IndexName: key === 'user' ? 'byUser' : 'byAccount',
      KeyConditionExpression: '#key = :value',
      ExpressionAttributeNames: { '#key': key },
      ExpressionAttributeValues: { ':value': { S: owner } },
    },
  );
  const keys: string[] = [];
  for await (const { Items = [] } of pages) keys.push(...Items.map(({ userUpload }) => userUpload?.S ?? ''));
  return keys;
}

// By default unmarshall returns large numbers as BigInt, which JSON.stringify refuses, and throws on larger ones. Only a
// person who edits a record writes such numbers.
function recordOf(item: Record<string, AttributeValue>): UploadRecord {
  const record = unmarshall(item, { wrapNumbers: Number });
  return { ...record, status: statusOf(record) };
}

function clientOf(target: Target): DynamoDBClient {
  return new DynamoDBClient(target.clientOptions('DYNAMODB'));
}
