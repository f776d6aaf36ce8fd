import type { BatchGetItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRecordReader } from '../../../functions/reconciliation/record-reader.ts';
import type { KnownRecord } from '../../../functions/reconciliation/upload-comparison.ts';
import { sample } from '../../support/builders/builders.ts';
import { openUploadTable } from '../../support/emulators/upload-table.ts';

let table: Awaited<ReturnType<typeof openUploadTable>>;
beforeAll(async () => {
  table = await openUploadTable();
  const facts = { account: { S: sample.account }, user: { S: sample.user }, addedAt: { S: receivedAt } };
  await table.seedAll(Array.from({ length: 250 }, (_, n) => ({ userUpload: { S: idOf(n) }, ...facts })));
});
afterAll(() => table.close());

const receivedAt = '2026-11-24T10:00:00.123Z';

describe('records read by their ids', () => {
  test('are returned in any number, once for a duplicate id, and not for an id without a record', async () => {
    const ids = Array.from({ length: 260 }, (_, n) => idOf(n));
    const records = await reader().readRecords([...ids, idOf(1)]);
    expect([...records.keys()].sort()).toEqual(ids.slice(0, 250));
    expect(await reader().readRecords([])).toEqual(new Map());
  });

  test('have their slots, ids and the time of the document, and nothing else', async () => {
    const fetchedAt = receivedAt;
    const document = { fileName: 'a.pdf', processing: {}, ocrErrors: [], updatedAt: '2026-11-24T09:00:00.000Z' };
    await table.writeDocument(idOf(3), document, fetchedAt, AbortSignal.timeout(5_000));
    const records = await reader().readRecords([idOf(3), idOf(4)]);
    const { account, user } = sample;
    const known = { account, user, slots: { addedAt: receivedAt } };
    expect(records.get(idOf(3))).toEqual({ ...known, userUpload: idOf(3), documentUpdatedAt: document.updatedAt });
    expect(records.get(idOf(4))).toEqual({ ...known, userUpload: idOf(4) });
  });
});

test('a scan returns every record once, page by page', async () => {
  // A page has at most 1 MB.
  const note = { S: 'x'.repeat(300_000) };
  const large = Array.from({ length: 5 }, (_, n) => idOf(1_000 + n));
  await table.seedAll(large.map((userUpload) => ({ userUpload: { S: userUpload }, note })));
  const seen: KnownRecord[] = [];
  const pages: number[] = [];
  let scannedTo: string | undefined;
  do {
    const page = await reader().scanRecords(scannedTo);
    seen.push(...page.records);
    pages.push(page.records.length);
    ({ scannedTo } = page);
  } while (scannedTo);
  expect(pages.length).toBeGreaterThan(1);
  expect(seen.map(({ userUpload }) => userUpload).sort()).toEqual(
    [...Array.from({ length: 250 }, (_, n) => idOf(n)), ...large].sort(),
  );
});

describe('keys that DynamoDB leaves unread', () => {
  test('are requested again after a delay', async () => {
    const { client, requested } = limitedDynamoDb(1);
    const delaysMs: number[] = [];
    const records = await reader(client, async (ms) => delaysMs.push(ms)).readRecords([idOf(1), idOf(2), idOf(3)]);
    expect([...records.keys()].sort()).toEqual([idOf(1), idOf(2), idOf(3)]);
    expect(requested).toEqual([3, 2, 1]);
    expect(delaysMs).toEqual([100, 200]);
  });

  test('are an error when it leaves them unread repeatedly', async () => {
    await expect(reader(limitedDynamoDb(0).client).readRecords([idOf(1)])).rejects.toThrow('left 1 keys unread');
  });
});

function reader(client = table.client, sleep: (ms: number) => Promise<unknown> = async () => undefined) {
  return createRecordReader(client, table.tableName, sleep);
}

// The emulated DynamoDB never leaves keys unread.
function limitedDynamoDb(keysPerAnswer: number) {
  const requested: number[] = [];
  const send = async ({ input: { RequestItems = {} } }: BatchGetItemCommand) => {
    const Keys = RequestItems[table.tableName]?.Keys ?? [];
    requested.push(Keys.length);
    const unread = Keys.slice(keysPerAnswer);
    return {
      Responses: { [table.tableName]: Keys.slice(0, keysPerAnswer) },
      UnprocessedKeys: unread.length > 0 ? { [table.tableName]: { Keys: unread } } : {},
    };
  };
  return { client: { send } as unknown as DynamoDBClient, requested };
}

function idOf(n: number): string {
  return `00000000-0000-0000-0000-${String(n).padStart(12, '0')}`;
}
