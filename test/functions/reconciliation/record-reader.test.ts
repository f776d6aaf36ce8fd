import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRecordReader } from '../../../functions/reconciliation/record-reader.ts';
import type { KnownRecord } from '../../../functions/reconciliation/upload-comparison.ts';
import { sample } from '../../support/builders/builders.ts';
import { clientConfig } from '../../support/emulators/emulators.ts';
import { openUploadTable } from '../../support/emulators/upload-table.ts';

let table: Awaited<ReturnType<typeof openUploadTable>>;
beforeAll(async () => {
  table = await openUploadTable();
  for (let n = 0; n < 250; n += 1) await table.apply(idOf(n), { event: sample.event, receivedAt });
});
afterAll(() => table.close());

const receivedAt = '2026-11-24T10:00:00.123Z';

describe('records by their ids', () => {
  test('are read whatever their number, ids that stand twice once, and those without a record not', async () => {
    const ids = Array.from({ length: 260 }, (_, n) => idOf(n));
    const records = await reader().readRecords([...ids, idOf(1)]);
    expect([...records.keys()].sort()).toEqual(ids.slice(0, 250));
    expect(await reader().readRecords([])).toEqual(new Map());
  });

  test('tell of slots, ids and the time of the document, and of nothing else', async () => {
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

test('a scan reads every record once, page by page', async () => {
  // Items of 2 KB, so that 1 MB does not hold them all.
  const note = { S: 'x'.repeat(2_000) };
  const large = Array.from({ length: 600 }, (_, n) => idOf(1_000 + n));
  await Promise.all(large.map((userUpload) => table.seed({ userUpload: { S: userUpload }, note })));
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
  test('are asked for again after a while', async () => {
    // The engine never leaves any: this server reads one key at a time.
    const { client, asked, close } = await startReluctantDynamoDb(1);
    const waits: number[] = [];
    const records = await reader(client, async (ms) => waits.push(ms)).readRecords([idOf(1), idOf(2), idOf(3)]);
    expect([...records.keys()].sort()).toEqual([idOf(1), idOf(2), idOf(3)]);
    expect(asked).toEqual([3, 2, 1]);
    expect(waits).toEqual([100, 200]);
    await close();
  });

  test('are an error when it leaves them again and again', async () => {
    const { client, close } = await startReluctantDynamoDb(0);
    await expect(reader(client, async () => undefined).readRecords([idOf(1)])).rejects.toThrow('left 1 keys unread');
    await close();
  });
});

function reader(client = table.client, wait: (ms: number) => Promise<unknown> = async () => undefined) {
  return createRecordReader(client, table.tableName, wait);
}

async function startReluctantDynamoDb(keysPerAnswer: number) {
  const asked: number[] = [];
  const server = createServer(async (request, response) => {
    const { RequestItems } = (await json(request)) as { RequestItems: Record<string, { Keys: object[] }> };
    const [[name, { Keys }] = ['', { Keys: [] }]] = Object.entries(RequestItems);
    asked.push(Keys.length);
    const left = Keys.slice(keysPerAnswer);
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    response.end(
      JSON.stringify({
        Responses: { [name]: Keys.slice(0, keysPerAnswer) },
        UnprocessedKeys: left.length > 0 ? { [name]: { Keys: left } } : {},
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new DynamoDBClient(clientConfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  const close = async () => {
    client.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { client, asked, close };
}

function idOf(n: number): string {
  return `00000000-0000-0000-0000-${String(n).padStart(12, '0')}`;
}
