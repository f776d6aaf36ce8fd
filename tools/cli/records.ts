import {
  type AttributeValue,
  BatchGetItemCommand,
  DynamoDBClient,
  GetItemCommand,
  paginateQuery,
} from '@aws-sdk/client-dynamodb';
import { type NativeAttributeValue, unmarshall } from '@aws-sdk/util-dynamodb';
import { statusOf, type UploadStatus } from '../../functions/domain/upload-record.ts';
import { type Report, tableOf } from './report.ts';
import { type Target, UsageError } from './target.ts';

type UploadRecord = Readonly<Record<string, NativeAttributeValue>> & { readonly status: UploadStatus };

/** Whose documents are asked for. */
export type Owner = { readonly user: string } | { readonly account: string };

/** Prints the record of one document, with its status; gives whether there is one. */
export async function showRecord(target: Target, userUpload: string, report: Report): Promise<boolean> {
  const { Item } = await clientOf(target).send(
    new GetItemCommand({ TableName: target.uploadTableName, Key: { userUpload: { S: userUpload.toLowerCase() } } }),
  );
  if (!Item) {
    report.result({ userUpload, found: false }, `There is no record of ${userUpload}.`);
    return false;
  }
  const record = recordOf(Item);
  report.result(record, JSON.stringify(record, undefined, 2));
  return true;
}

/** Prints a user's or an account's documents, through the index of that name. */
export async function listRecords(
  target: Target,
  owner: Owner,
  status: string | undefined,
  report: Report,
): Promise<void> {
  const dynamodb = clientOf(target);
  const keys = await readKeys(dynamodb, target.uploadTableName, owner);
  const records: UploadRecord[] = [];
  for (let start = 0; start < keys.length; start += 100)
    records.push(...(await readBatch(dynamodb, target.uploadTableName, keys.slice(start, start + 100))));
  const shown = records.filter((record) => status === undefined || record.status === status);
  const rows = shown.map((record) => [
    record.userUpload,
    record.status,
    record.document?.type ?? '-',
    record.addedAt ?? '-',
  ]);
  report.result(shown, shown.length > 0 ? tableOf([['upload', 'status', 'type', 'added'], ...rows]) : 'No records.');
}

async function readKeys(dynamodb: DynamoDBClient, TableName: string, owner: Owner): Promise<string[]> {
  const [[key, value] = ['', '']] = Object.entries(owner);
  if (!value) throw new UsageError('Say whose documents: --user ID or --account ID.');
  const pages = paginateQuery(
    { client: dynamodb },
    {
      TableName,
      IndexName: key === 'user' ? 'byUser' : 'byAccount',
      KeyConditionExpression: '#key = :value',
      ExpressionAttributeNames: { '#key': key },
      ExpressionAttributeValues: { ':value': { S: value.toLowerCase() } },
    },
  );
  const keys: string[] = [];
  for await (const { Items = [] } of pages) keys.push(...Items.map(({ userUpload }) => userUpload?.S ?? ''));
  return keys;
}

async function readBatch(dynamodb: DynamoDBClient, table: string, keys: readonly string[]): Promise<UploadRecord[]> {
  const records: UploadRecord[] = [];
  let request = { [table]: { Keys: keys.map((key) => ({ userUpload: { S: key } })) } };
  while (Object.keys(request).length > 0) {
    const { Responses = {}, UnprocessedKeys = {} } = await dynamodb.send(
      new BatchGetItemCommand({ RequestItems: request }),
    );
    records.push(...(Responses[table] ?? []).map(recordOf));
    request = UnprocessedKeys as typeof request;
  }
  return records;
}

// The usual way makes a BigInt of a number that only a person can have written, which no JSON holds, or throws at it.
function recordOf(item: Record<string, AttributeValue>): UploadRecord {
  const record = unmarshall(item, { wrapNumbers: Number });
  return { ...record, status: statusOf(record) };
}

function clientOf(target: Target): DynamoDBClient {
  return new DynamoDBClient(target.clientOptions('DYNAMODB'));
}
