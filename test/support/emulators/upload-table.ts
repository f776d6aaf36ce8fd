import { BatchWriteItemCommand, GetItemCommand, PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import type { Envelope } from '../../../functions/domain/envelope.ts';
import type { EventType } from '../../../functions/domain/events.ts';
import { createWriteDocument } from '../../../functions/worker/document-store.ts';
import { type ApplyOutcome, createApplyEvent } from '../../../functions/worker/upload-store.ts';
import { sample } from '../builders/builders.ts';
import type { Item, Message } from '../builders/upload-histories.ts';
import { createUploadTable, startDynamoDb } from './emulators.ts';

export const retentionDays = 90;

/** Creates an upload table in an emulator. Returns its store, and functions that read and write the table directly. */
export async function openUploadTable() {
  const { client, close } = await startDynamoDb();
  const TableName = await createUploadTable(client);
  const applyEvent = createApplyEvent(client, TableName, retentionDays);
  return {
    client,
    tableName: TableName,
    close,
    /** Merges one event into a document's record and returns the outcome's kind. */
    apply: async (
      userUpload: string,
      { event, receivedAt }: Message,
      mayCreate = true,
    ): Promise<ApplyOutcome['kind']> =>
      (await applyEvent(envelopeOf(userUpload, event), receivedAt, { mayCreate })).kind,
    applyEvent,
    writeDocument: createWriteDocument(client, TableName),
    /** Writes a record and replaces the existing one. */
    seed: async (Item: Item): Promise<void> => {
      await client.send(new PutItemCommand({ TableName, Item }));
    },
    seedAll: async (items: readonly Item[]): Promise<void> => {
      for (let start = 0; start < items.length; start += 25) {
        const puts = items.slice(start, start + 25).map((Item) => ({ PutRequest: { Item } }));
        await client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: puts } }));
      }
    },
    read: async (userUpload: string): Promise<Item | undefined> => {
      const key = { userUpload: { S: userUpload } };
      const { Item } = await client.send(new GetItemCommand({ TableName, Key: key, ConsistentRead: true }));
      return Item;
    },
    /** All records by their key. */
    readAll: async (): Promise<ReadonlyMap<string, Item>> => {
      const records = new Map<string, Item>();
      for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true }))
        for (const item of Items) records.set(item.userUpload?.S ?? '', item);
      return records;
    },
  };
}

/** The envelope of an event of a document. */
export function envelopeOf(userUpload: string, event: EventType = sample.event): Envelope {
  return { event, account: sample.account, user: sample.user, userUpload };
}
