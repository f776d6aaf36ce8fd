import { type AttributeValue, BatchGetItemCommand, type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { callDeadline } from '../aws/clients.ts';
import { events, eventTypes } from '../domain/events.ts';
import type { UploadSlots } from '../domain/upload-record.ts';
import type { KnownRecord } from './upload-comparison.ts';

/** Reads many records, and of each only what a comparison needs. Both throw when DynamoDB does not answer or refuses. */
export type RecordReader = {
  /** The records of these uploads, by id; there is none for an upload without one. */
  readonly readRecords: (userUploads: readonly string[]) => Promise<ReadonlyMap<string, KnownRecord>>;
  /** The next up to 1 MB of all records, after a key; `scannedTo` is the key to go on from, if there are more. */
  readonly scanRecords: (
    after: string | undefined,
  ) => Promise<{ readonly records: readonly KnownRecord[]; readonly scannedTo?: string }>;
};

type Item = Readonly<Record<string, AttributeValue>>;
type Key = Record<'userUpload', { readonly S: string }>;

// The limit of BatchGetItem.
const batchSize = 100;
const mostTries = 8;

const slots = eventTypes.map((event) => events[event].slot);
// Names of attributes may be words of DynamoDB's own (`user` is one).
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

/** Reads through the given client, at times a moment behind the latest writes. */
export function createRecordReader(client: DynamoDBClient, tableName: string, wait: (ms: number) => Promise<unknown>) {
  const readBatch = async (ids: readonly string[]): Promise<readonly Item[]> => {
    const items: Item[] = [];
    let Keys: Key[] = ids.map((id) => ({ userUpload: { S: id } }));
    for (let tries = 1; Keys.length > 0; tries += 1) {
      const command = new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys, ...projection } } });
      const { Responses = {}, UnprocessedKeys = {} } = await client.send(command, { abortSignal: callDeadline() });
      items.push(...(Responses[tableName] ?? []));
      Keys = (UnprocessedKeys[tableName]?.Keys ?? []) as Key[];
      if (Keys.length === 0) break;
      if (tries === mostTries) throw new Error(`DynamoDB left ${Keys.length} keys unread ${mostTries} times.`);
      await wait(50 * 2 ** tries);
    }
    return items;
  };
  return {
    readRecords: async (userUploads) => {
      // DynamoDB refuses a key that stands twice in one batch.
      const ids = [...new Set(userUploads)];
      const batches = Array.from({ length: Math.ceil(ids.length / batchSize) }, (_, index) =>
        readBatch(ids.slice(index * batchSize, (index + 1) * batchSize)),
      );
      return new Map(
        (await Promise.all(batches))
          .flat()
          .map(recordOf)
          .map((record) => [record.userUpload, record]),
      );
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
  } satisfies RecordReader;
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
