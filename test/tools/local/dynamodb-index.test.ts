import { PutItemCommand, paginateQuery } from '@aws-sdk/client-dynamodb';
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
  for (const id of colliding) await put(id, owner);
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
  await put(first, other);

  expect(await query('byAccount', 'account', owner)).toEqual([second]);
  expect(await query('byAccount', 'account', other)).toEqual([first]);
  await put(first, owner);
});

test('4,000 documents of one owner are all listed, page by page', async () => {
  const account = '00000000-0000-4000-8000-000000000001';
  const ids = Array.from({ length: 4_000 }, (_, n) => `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`);
  await Promise.all(ids.map((id) => put(id, account)));

  expect((await query('byAccount', 'account', account, 100)).toSorted()).toEqual(ids);
});

async function put(userUpload: string, by: string): Promise<void> {
  const Item = { userUpload: { S: userUpload }, account: { S: by }, user: { S: by } };
  await emulator.client.send(new PutItemCommand({ TableName, Item }));
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
