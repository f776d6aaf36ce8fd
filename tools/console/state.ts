import { type DynamoDBClient, GetItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { statusOf } from '../../functions/domain/upload-record.ts';
import { countMessages } from '../messages/dead-messages.ts';
import type { UploadRecord } from './page/view.ts';

/** A queue as the console shows it: an event's, or `quarantine`, which has no dead-letter queue. */
export type ConsoleQueue = { readonly event: string; readonly url: string; readonly deadLetterUrl?: string };

/** What a queue holds, as its engine says. */
export type QueueCounts = {
  readonly event: string;
  readonly visible: number;
  readonly inFlight: number;
  readonly dead: number;
};

/** Where the records and the messages are. */
export type Stores = {
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly tableName: string;
  readonly queues: readonly ConsoleQueue[];
};

type Item = Parameters<typeof unmarshall>[0];

/** All records and queues. */
export async function readState(stores: Stores): Promise<object> {
  const uploads: UploadRecord[] = [];
  for await (const records of scanRecords(stores)) uploads.push(...records);
  return { uploads, queues: await readQueues(stores) };
}

/** All records with their status, a page of the table at a time. */
export async function* scanRecords({ dynamodb, tableName }: Stores): AsyncGenerator<readonly UploadRecord[]> {
  for await (const { Items = [] } of paginateScan({ client: dynamodb }, { TableName: tableName }))
    yield Items.map(recordOf);
}

/** One record with its status. */
export async function readUpload(
  { dynamodb, tableName }: Stores,
  userUpload: string,
): Promise<UploadRecord | undefined> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: tableName, Key: { userUpload: { S: userUpload } } }),
  );
  return Item && recordOf(Item);
}

/** What each queue and its dead-letter queue hold. */
export async function readQueues({ sqs, queues }: Stores): Promise<readonly QueueCounts[]> {
  return Promise.all(
    queues.map(async ({ event, url, deadLetterUrl }) => {
      const { visible, inFlight } = await countMessages(sqs, url);
      const dead = deadLetterUrl ? (await countMessages(sqs, deadLetterUrl)).visible : 0;
      return { event, visible, inFlight, dead };
    }),
  );
}

/** A record of the table with its status. */
export function recordOf(item: Item): UploadRecord {
  // The usual way makes a BigInt of a large number, which no JSON holds: one that a person has written would hide all records.
  const record = unmarshall(item, { wrapNumbers: Number });
  return { ...record, status: statusOf(record) } as unknown as UploadRecord;
}
