import { buffer } from 'node:stream/consumers';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { readUserUpload } from '../../../functions/domain/user-upload.ts';
import { type SeedBlock, seededIds, seededNumber, seededUpload } from '../../../tools/fake-argyle/seeded-upload.ts';
import { startHttpEmulator } from '../../../tools/local/loopback.ts';

type Item = Record<string, AttributeValue>;
type Key = { readonly userUpload: { readonly S: string } };

// About what 1 MB of records holds.
const pageSize = 2_500;

/**
 * A DynamoDB whose upload table holds a good record for each document of these blocks, made when it is asked for: a million
 * items would take an engine hours to load. What is asked of other tables is passed on to a real engine.
 */
export async function startRecordsServer(tableName: string, blocks: readonly SeedBlock[], engine: string) {
  return startHttpEmulator(async (request, response) => {
    const body = await buffer(request);
    const action = String(request.headers['x-amz-target']).split('.')[1];
    const { TableName, RequestItems, ExclusiveStartKey } = JSON.parse(body.toString());
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    if (RequestItems?.[tableName]) {
      const keys: Key[] = RequestItems[tableName].Keys;
      const items = keys
        .map(({ userUpload }) => itemAt(blocks, positionOf(blocks, userUpload.S)))
        .filter((item) => item !== undefined);
      return response.end(JSON.stringify({ Responses: { [tableName]: items }, UnprocessedKeys: {} }));
    }
    if (TableName === tableName && action === 'Scan')
      return response.end(JSON.stringify(scan(blocks, ExclusiveStartKey)));
    const headers = new Headers({ 'x-amz-target': String(request.headers['x-amz-target']) });
    headers.set('content-type', 'application/x-amz-json-1.0');
    headers.set('authorization', String(request.headers.authorization));
    headers.set('x-amz-date', String(request.headers['x-amz-date']));
    const answer = await fetch(engine, { method: 'POST', headers, body: new Uint8Array(body) });
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

function itemAt(blocks: readonly SeedBlock[], position: number | undefined): Item | undefined {
  const block = blocks.find(
    ({ start, count }) => position !== undefined && position >= start && position < start + count,
  );
  if (!block || position === undefined) return undefined;
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
