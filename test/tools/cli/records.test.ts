import type { Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { close, listen } from '../../../tools/local/loopback.ts';
import { type ServedQueues, serveQueues } from './served-queues.ts';

const owner = '00000000-0000-4000-8000-000000000000';

let gets: { readonly Key: { readonly userUpload: { readonly S: string } } }[];
let dynamodb: Server;
let it: ServedQueues;
beforeAll(async () => {
  // An index of three pages, of which the second is empty, and a table in which one record has expired meanwhile.
  const pages = [{ keys: ['a', 'gone'], next: '1' }, { keys: [], next: '2' }, { keys: ['b'] }];
  const listening = await listen(async (request, response) => {
    const input = JSON.parse(await text(request));
    if (!String(request.headers['x-amz-target']).endsWith('.Query')) {
      gets.push(input);
      const { userUpload } = input.Key;
      return response.end(JSON.stringify(userUpload.S === 'gone' ? {} : { Item: { userUpload } }));
    }
    const page = pages[Number(input.ExclusiveStartKey?.userUpload.S ?? 0)];
    const LastEvaluatedKey = page?.next && { userUpload: { S: page.next } };
    const Items = page?.keys.map((S) => ({ userUpload: { S } }));
    return response.end(JSON.stringify({ Items, LastEvaluatedKey }));
  }, 0);
  dynamodb = listening.server;
  it = await serveQueues({ DYNAMODB: listening.endpoint });
});
afterAll(async () => {
  await it.close();
  await close(dynamodb);
});

test('list reads all pages of the index, and each record consistently', async () => {
  gets = [];

  const { out } = await it.run(`--json list --user ${owner}`);

  expect(JSON.parse(out)).toEqual([
    { userUpload: 'a', status: 'pending' },
    { userUpload: 'b', status: 'pending' },
  ]);
  expect(gets.map(({ Key }) => Key.userUpload.S)).toEqual(['a', 'gone', 'b']);
  expect(gets).toEqual(gets.map((get) => expect.objectContaining({ ...get, ConsistentRead: true })));
});

test('get reads the record consistently', async () => {
  gets = [];

  await it.run(`get ${owner}`);

  expect(gets).toEqual([expect.objectContaining({ Key: { userUpload: { S: owner } }, ConsistentRead: true })]);
});
