import { buffer } from 'node:stream/consumers';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { readUserUpload } from '../../../functions/domain/user-upload.ts';
import { type SeedBlock, seededIds, seededNumber, seededUpload } from '../../../tools/fake-argyle/seeded-upload.ts';
import { startHttpEmulator } from '../../../tools/local/loopback.ts';

type Item = Record<string, AttributeValue>;
type Key = { readonly userUpload: { readonly S: string } };

// About as many records as fit in the 1 MB of one Scan.
const pageSize = 2_500;

/**
 * Starts a fake DynamoDB whose upload table contains a record for each document of the blocks. A record is created when it is
 * read, because loading a million items into an emulator would take hours. Requests to other tables are forwarded to `emulator`.
 */
export async function startRecordsServer(tableName: () => string, blocks: readonly SeedBlock[], emulator: string) {
  return startHttpEmulator(async (request, response) => {
    const body = await buffer(request);
    const header = (name: string) => String(request.headers[name]);
    const { TableName, RequestItems, ExclusiveStartKey } = JSON.parse(body.toString());
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    const keys: readonly Key[] | undefined = RequestItems?.[tableName()]?.Keys;
    if (keys) {
      const items = keys
        .map(({ userUpload }) => itemAt(blocks, positionOf(blocks, userUpload.S)))
        .filter((item) => item !== undefined);
      return response.end(JSON.stringify({ Responses: { [tableName()]: items }, UnprocessedKeys: {} }));
    }
    if (TableName === tableName() && header('x-amz-target').endsWith('.Scan'))
      return response.end(JSON.stringify(scan(blocks, ExclusiveStartKey)));
    const forwarded = ['x-amz-target', 'content-type', 'authorization', 'x-amz-date'];
    const headers = Object.fromEntries(forwarded.map((name) => [name, header(name)]));
    const answer = await fetch(emulator, { method: 'POST', headers, body: new Uint8Array(body) });
    response.writeHead(answer.status).end(await answer.text());
  });
}

function scan(blocks: readonly SeedBlock[], after: Key | undefined) {
  const first = after ? (positionOf(blocks, after.userUpload.S) ?? 0) + 1 : 0;
  const Items = Array.from({ length: pageSize }, (_, offset) => itemAt(blocks, first + offset)).filter(
    (item) => item !== undefined,
  );
  const last = Items.at(-1);
  return { Items, ...(Items.length === pageSize && last && { LastEvaluatedKey: { userUpload: last.userUpload } }) };
}

function positionOf(blocks: readonly SeedBlock[], id: string): number | undefined {
  for (const block of blocks) {
    const number = seededNumber(block, id);
    if (number !== undefined) return block.start + number;
  }
  return undefined;
}

function itemAt(blocks: readonly SeedBlock[], position = -1): Item | undefined {
  const block = blocks.find(({ start, count }) => position >= start && position < start + count);
  if (!block) return undefined;
  const ids = seededIds(block.seed, position - block.start);
  const { slots = [], document } = readUserUpload(seededUpload(ids, position - block.start)) ?? {};
  return {
    userUpload: { S: ids.userUpload },
    account: { S: ids.account },
    user: { S: ids.user },
    document: { M: { updatedAt: { S: document?.updatedAt ?? '' } } },
    ...Object.fromEntries(slots.map((slot) => [slot, { S: '2026-02-01T00:00:00.000Z' }])),
  };
}
