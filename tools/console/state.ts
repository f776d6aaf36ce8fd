import { type DynamoDBClient, GetItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { statusOf } from '../../functions/domain/upload-record.ts';
import { countMessages } from '../messages/dead-messages.ts';
import type { Lane, LaneCounts, UploadRecord } from './page/api.ts';

/** The queue of an event, or the quarantine with the event `quarantine`, which has no dead-letter queue. */
export type ConsoleQueue = { readonly event: string; readonly url: string; readonly deadLetterUrl?: string };

export type Stores = {
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly tableName: string;
  readonly queues: readonly ConsoleQueue[];
};

const noMessages = { visible: 0, inFlight: 0 } as const;

/** Reads all records and queues. */
export async function readState(stores: Stores): Promise<object> {
  const uploads: UploadRecord[] = [];
  for await (const records of scanRecords(stores)) uploads.push(...records);
  const queues = await readQueues(stores);
  return { uploads, queues: queues.map(({ event, visible, inFlight, dead }) => ({ event, visible, inFlight, dead })) };
}

/** Reads all records with their status, one page of the table at a time. */
export async function* scanRecords({ dynamodb, tableName }: Stores): AsyncGenerator<readonly UploadRecord[]> {
  for await (const { Items = [] } of paginateScan({ client: dynamodb }, { TableName: tableName }))
    yield Items.map(recordOf);
}

/** Reads one record with its status. */
export async function readUpload({ dynamodb, tableName }: Stores, id: string): Promise<UploadRecord | undefined> {
  const { Item } = await dynamodb.send(new GetItemCommand({ TableName: tableName, Key: { userUpload: { S: id } } }));
  return Item && recordOf(Item);
}

/** Reads the approximate message counts of each queue and its dead-letter queue. `dead` includes those that a reader has received. */
export async function readQueues({ sqs, queues }: Stores): Promise<readonly Omit<Lane, keyof LaneCounts>[]> {
  return Promise.all(
    queues.map(async ({ event, url, deadLetterUrl }) => {
      const { visible, inFlight } = await countMessages(sqs, url);
      const dead = deadLetterUrl ? await countMessages(sqs, deadLetterUrl) : noMessages;
      return { event, visible, inFlight, dead: dead.visible + dead.inFlight, deadBeingRead: dead.inFlight };
    }),
  );
}

function recordOf(item: Parameters<typeof unmarshall>[0]): UploadRecord {
  // By default a large number, which a person may have written, becomes a BigInt. That fails to serialize, and hides all records.
  const record = unmarshall(item, { wrapNumbers: Number });
  return { ...record, status: statusOf(record) } as unknown as UploadRecord;
}
