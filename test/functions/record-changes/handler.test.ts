import { readFileSync } from 'node:fs';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { expect, test } from 'vitest';
import { createRecordChanges } from '../../../functions/record-changes/handler.ts';

const at = '2026-11-24T10:00:00.123Z';
const image = { userUpload: { S: 'upload' }, account: { S: 'account' }, user: { S: 'user' }, addedAt: { S: at } };
const removed = { ...image, removedAt: { S: at }, expiresAt: { N: '1800000000' } };
// As in DynamoDB's developer guide, "DynamoDB Streams and Time to Live".
const byExpiry = { type: 'Service', principalId: 'dynamodb.amazonaws.com' };

test("returns the visible changes of a batch in order, with the stream's ids", async () => {
  const { describe } = harness();

  const changes = await describe([
    streamRecord('1', { NewImage: image }),
    streamRecord('2', { OldImage: image, NewImage: image }),
    streamRecord('3', { OldImage: image, NewImage: removed }),
    { ...streamRecord('4', { OldImage: removed }), userIdentity: byExpiry },
  ]);

  expect(changes.map(({ id, statusBefore, statusAfter, expired }) => [id, statusBefore, statusAfter, expired])).toEqual(
    [
      ['1', null, 'added', false],
      ['3', 'added', 'removed', false],
      ['4', 'removed', null, true],
    ],
  );
  expect(changes[1]?.after).toEqual({
    ...{ userUpload: 'upload', account: 'account', user: 'user' },
    ...{ addedAt: at, removedAt: at, expiresAt: 1_800_000_000 },
  });
});

// A person or an application can have one half of DynamoDB's identity: both halves must match.
test.each([
  { type: 'Role', principalId: 'someone' },
  { type: 'Role', principalId: 'dynamodb.amazonaws.com' },
  { type: 'Service', principalId: 'lambda.amazonaws.com' },
  undefined,
])('does not treat a deletion by another identity as an expiry: %j', async (userIdentity) => {
  const { describe } = harness();
  const deletion = { ...streamRecord('1', { OldImage: removed }), ...(userIdentity && { userIdentity }) };
  expect((await describe([deletion])).map(({ expired }) => expired)).toEqual([false]);
});

test('returns the event of the documentation', async () => {
  const page = readFileSync(new URL('../../../docs/record-changes.md', import.meta.url), 'utf8');
  const { detail } = JSON.parse(/```json\n([^`]+)```/.exec(page)?.[1] ?? '');
  const { describe } = harness();
  const images = { OldImage: marshall(detail.before), NewImage: marshall(detail.after) };
  expect(await describe([streamRecord(detail.id, images as Images, detail.userUpload)])).toEqual([detail]);
});

test('a number that JavaScript cannot represent blocks no change', async () => {
  const { describe } = harness();
  const strange = { ...image, expiresAt: { N: '1E+120' }, note: { N: '12345678901234567890123' } };
  const changes = await describe([streamRecord('1', { NewImage: strange }), streamRecord('2', { NewImage: image })]);
  expect(changes.map(({ id }) => id)).toEqual(['1', '2']);
  expect(JSON.parse(JSON.stringify(changes[0])).after).toMatchObject({ addedAt: at });
});

test('prints the number of changes and their uploads', async () => {
  const { describe, measured } = harness();
  const unchanged = streamRecord('2', { OldImage: image, NewImage: image });
  const other = streamRecord('3', { NewImage: { ...image, userUpload: { S: 'other' } } }, 'other');
  await describe([streamRecord('1', { NewImage: image }), unchanged, other]);
  expect(measured).toEqual([
    [
      { ChangesPublished: 2, ChangesInvisible: 1, DurationMs: 10 },
      { records: 3, userUploads: 'upload other' },
    ],
  ]);
});

function harness() {
  const measured: unknown[] = [];
  const telemetry = { measure: (...line: unknown[]) => measured.push(line) };
  let timeMs = 0;
  const nowMs = () => {
    timeMs += 10;
    return timeMs;
  };
  return { measured, describe: createRecordChanges({ telemetry, nowMs }) };
}

type Images = Pick<NonNullable<DynamoDBRecord['dynamodb']>, 'OldImage' | 'NewImage'>;

function streamRecord(eventID: string, images: Images, userUpload = 'upload') {
  return { eventID, dynamodb: { Keys: { userUpload: { S: userUpload } }, ...images } } satisfies DynamoDBRecord;
}
