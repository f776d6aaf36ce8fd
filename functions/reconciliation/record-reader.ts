import { type AttributeValue, BatchGetItemCommand, type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { callDeadline } from '../aws/clients.ts';
import { events, eventTypes } from '../domain/events.ts';
import type { UploadSlots } from '../domain/upload-record.ts';
import type { KnownRecord } from './upload-comparison.ts';

/** Reads many records, but only the attributes that a comparison needs. Both functions throw when DynamoDB fails. */
export type RecordReader = {
  /** Returns the records of these uploads by id. An upload without a record is not in the map. */
  readonly readRecords: (userUploads: readonly string[]) => Promise<ReadonlyMap<string, KnownRecord>>;
  /** Reads up to 1 MB of records that follow a key. `scannedTo` is the key to continue after, if there are more. */
  readonly scanRecords: (
    after: string | undefined,
  ) => Promise<{ readonly records: readonly KnownRecord[]; readonly scannedTo?: string }>;
};

type Item = Readonly<Record<string, AttributeValue>>;
type Key = Record<'userUpload', { readonly S: string }>;

// The limit of BatchGetItem.
const batchSize = 100;
const maxTries = 8;
const firstDelayMs = 100;

const slots = eventTypes.map((event) => events[event].slot);
// Attribute names may be reserved words of DynamoDB, such as `user`.
const projection = {
  ProjectionExpression: [
    '#userUpload',
    '#account',
    '#user',
    '#document.#updatedAt',
    ...slots.map((slot) => `#${slot}`),
  ].join(', '),
  ExpressionAttributeNames: Object.fromEntries(
    ['userUpload', 'account', 'user', 'document', 'updatedAt', ...slots].map((name) => [`#${name}`, name]),
  ),
};

/** Creates the reader. Its reads are eventually consistent. */
export function createRecordReader(
  client: DynamoDBClient,
  tableName: string,
  sleep: (ms: number) => Promise<unknown>,
): RecordReader {
  const readBatch = async (ids: readonly string[]): Promise<readonly Item[]> => {
    const items: Item[] = [];
    let Keys: Key[] = ids.map((id) => ({ userUpload: { S: id } }));
    for (let tries = 1; Keys.length > 0; tries += 1) {
      const command = new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys, ...projection } } });
      const { Responses = {}, UnprocessedKeys = {} } = await client.send(command, { abortSignal: callDeadline() });
      items.push(...(Responses[tableName] ?? []));
      Keys = (UnprocessedKeys[tableName]?.Keys ?? []) as Key[];
      if (Keys.length === 0) break;
      if (tries === maxTries) throw new Error(`DynamoDB left ${Keys.length} keys unread ${maxTries} times.`);
      await sleep(firstDelayMs * 2 ** (tries - 1));
    }
    return items;
  };
  return {
    readRecords: async (userUploads) => {
      // DynamoDB refuses a batch with a duplicate key.
      const ids = [...new Set(userUploads)];
      const batches = Array.from({ length: Math.ceil(ids.length / batchSize) }, (_, index) =>
        readBatch(ids.slice(index * batchSize, (index + 1) * batchSize)),
      );
      const records = (await Promise.all(batches)).flat().map(recordOf);
      return new Map(records.map((record) => [record.userUpload, record]));
    },
    scanRecords: async (after) => {
      const command = new ScanCommand({
        TableName: tableName,
        ...projection,
        ...(after && { ExclusiveStartKey: { userUpload: { S: after } } }),
      });
      const { Items = [], LastEvaluatedKey } = await client.send(command, { abortSignal: callDeadline() });
      const scannedTo = LastEvaluatedKey?.userUpload?.S;
      return { records: Items.map(recordOf), ...(scannedTo && { scannedTo }) };
    },
  };
}

function recordOf(item: Item): KnownRecord {
  const documentUpdatedAt = item.document?.M?.updatedAt?.S;
  return {
    userUpload: item.userUpload?.S ?? '',
    account: item.account?.S ?? '',
    ...(item.user?.S && { user: item.user.S }),
    slots: Object.fromEntries(slots.flatMap((slot) => (item[slot]?.S ? [[slot, item[slot].S]] : []))) as UploadSlots,
    ...(documentUpdatedAt && { documentUpdatedAt }),
  };
}
