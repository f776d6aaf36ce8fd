import { BatchWriteItemCommand, paginateQuery } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createUploadTable, startDynamoDb } from '../../support/emulators/emulators.ts';

const owner = '01856c65-43b6-8b5d-b32a-56b8fbda5c28';
// The MD5 hashes that dynalite keeps of these ids have the same first six digits.
const colliding = ['0000055d-0000-4000-8000-000000000000', '00000796-0000-4000-8000-000000000000'];

let emulator: Awaited<ReturnType<typeof startDynamoDb>>;
let TableName: string;
beforeAll(async () => {
  emulator = await startDynamoDb();
  TableName = await createUploadTable(emulator.client);
  await putAll(colliding, owner);
});
afterAll(() => emulator.close());

test.each([
  ['byAccount', 'account'],
  ['byUser', 'user'],
])('%s lists all documents of one owner, even if the hashes of their ids collide', async (IndexName, key) => {
  for (const Limit of [undefined, 1])
    expect((await query(IndexName, key, owner, Limit)).toSorted()).toEqual(colliding.toSorted());
});

test('a document that moves to another owner leaves the index entry of the other document', async () => {
  const [first = '', second = ''] = colliding;
  const other = '018051aa-f7a9-a0db-2f38-6cfa325e9d69';
  await putAll([first], other);

  expect(await query('byAccount', 'account', owner)).toEqual([second]);
  expect(await query('byAccount', 'account', other)).toEqual([first]);
  await putAll([first], owner);
});

test('4,000 documents of one owner are all listed, page by page', async () => {
  const account = '00000000-0000-4000-8000-000000000001';
  const ids = Array.from({ length: 4_000 }, (_, n) => `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`);
  for (let start = 0; start < ids.length; start += 25) await putAll(ids.slice(start, start + 25), account);

  expect((await query('byAccount', 'account', account, 100)).toSorted()).toEqual(ids);
});

async function putAll(ids: readonly string[], by: string): Promise<void> {
  const puts = ids.map((id) => ({
    PutRequest: { Item: { userUpload: { S: id }, account: { S: by }, user: { S: by } } },
  }));
  await emulator.client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: puts } }));
}

async function query(IndexName: string, key: string, value: string, Limit?: number): Promise<readonly string[]> {
  const input = {
    ...{ TableName, IndexName, ...(Limit && { Limit }), KeyConditionExpression: '#key = :value' },
    ...{ ExpressionAttributeNames: { '#key': key }, ExpressionAttributeValues: { ':value': { S: value } } },
  };
  const ids: string[] = [];
  for await (const { Items = [] } of paginateQuery({ client: emulator.client }, input))
    ids.push(...Items.map(({ userUpload }) => userUpload?.S ?? ''));
  return ids;
}
