import { randomUUID } from 'node:crypto';
import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { expect, test } from 'vitest';
import { createCounters, keptSeconds } from '../../../tools/console/counters.ts';
import { createDeliveryLog } from '../../../tools/console/delivery-log.ts';
import { type MetricLine, parseLogLine } from '../../../tools/console/log-line.ts';
import { createRecordList } from '../../../tools/console/record-list.ts';
import { createUploadTable, startDynamoDb, startSqs } from '../../support/emulators/emulators.ts';

const added = 'user_uploads.added';

test('lines that are not whole metric lines are ignored', () => {
  const whole = metricLine('ingest', { Accepted: 1 }, { deliveryId: 'd' });
  for (const line of ['START RequestId: 1', whole.slice(0, -1), '{"message":"record_failed"}'])
    expect(parseLogLine(line)).toBeUndefined();
  expect(parseLogLine(whole)).toMatchObject({ kind: 'metrics', service: 'ingest', metrics: { Accepted: 1 } });
});

test('a worker may print its line before ingest prints that of the same delivery', () => {
  const log = createDeliveryLog(10);
  noteAll(log, [batch('d', { Applied: 1, Stale: 0 }), request('d')]);
  const attempts = [{ at: expect.any(String), outcome: 'applied' }];
  expect(log.of('upload', 10)).toMatchObject([{ deliveryId: 'd', answer: 'accepted', event: added, attempts }]);
});

test('a delivery has the reason of each failed attempt, and the later result', () => {
  const log = createDeliveryLog(10);
  const failed = (kind: string, reason: string) =>
    JSON.stringify({ message: 'record_failed', deliveryId: 'd', userUpload: 'upload', kind, reason });
  noteAll(log, [request('d'), failed('retryable', 'not_stored'), batch('d', { FailedForNow: 1 })]);
  noteAll(log, [batch('d', { Applied: 1, Stale: 0 }), batch('d', { Applied: 0, Stale: 1 })]);
  noteAll(log, [failed('permanent', 'unreadable'), batch('d', { FailedForGood: 1 })]);
  expect(log.of('upload', 10)[0]?.attempts.map(({ outcome }) => outcome)).toEqual([
    'failed, will be retried: not_stored',
    'applied',
    'a repeat: no change',
    'failed permanently: unreadable',
  ]);
});

test('only the newest deliveries are kept', () => {
  const log = createDeliveryLog(100);
  for (let number = 0; number < 1_000; number += 1) noteAll(log, [request(`d${number}`)]);
  const kept = log.of('upload', 1_000);
  expect([kept.length, kept[0]?.deliveryId, kept.at(-1)?.deliveryId]).toEqual([100, 'd999', 'd900']);
});

test('throughput is counted per second and forgotten after two minutes, other sums are not', () => {
  let nowMs = 1_000_000;
  const counters = createCounters(() => nowMs);
  counters.note(parseLogLine(request('d')) as MetricLine);
  nowMs += 1_000;
  counters.note(parseLogLine(batch('d', { Applied: 2, Stale: 1 })) as MetricLine);
  expect(counters.throughput().received.slice(-2)).toEqual([1, 0]);
  expect(counters.throughput().applied.slice(-2)).toEqual([0, 3]);

  nowMs += keptSeconds * 1_000;
  expect(counters.throughput()).toEqual({ received: Array(keptSeconds).fill(0), applied: Array(keptSeconds).fill(0) });
  expect(counters.answers()).toMatchObject({ accepted: 1, bad_signature: 0 });
  expect(counters.lane(added)).toEqual({ applied: 2, repeated: 1, retried: 0 });
});

test('the last webhook is the last one that ingest accepted', () => {
  const counters = createCounters(Date.now);
  const note = (outcome: string, timestamp: number) =>
    counters.note(parseLogLine(metricLine('ingest', { [outcome]: 1 }, {}, timestamp)) as MetricLine);
  expect(counters.lastWebhookAt()).toBeNull();
  note('Accepted', 1_000);
  note('BadSignature', 2_000);
  expect(counters.lastWebhookAt()).toBe('1970-01-01T00:00:01.000Z');
});

test('the newest of many records are listed, and later writes of workers appear without another scan', async () => {
  const [{ client: dynamodb, close }, sqs] = [await startDynamoDb(), await startSqs()];
  try {
    const tableName = await createUploadTable(dynamodb);
    // Together more than 1 MB, the maximum of one page of a scan.
    const records = Array.from({ length: 1_201 }, (_, number) => ({
      ...{ userUpload: randomUUID(), account: randomUUID(), user: randomUUID(), padding: 'x'.repeat(1_000) },
      addedAt: new Date(Date.UTC(2026, 0, 1) + number * 1_000).toISOString(),
    }));
    const put = async (start: number, end: number) => {
      const requests = records.slice(start, end).map((record) => ({ PutRequest: { Item: marshall(record) } }));
      await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: requests } }));
    };
    for (let start = 0; start < 1_200; start += 25) await put(start, start + 25);
    let nowMs = 0;
    // The clock advances by a second per reading, so that the scan seems to take a second.
    const list = createRecordList({ dynamodb, sqs: sqs.client, tableName, queues: [] }, 20, () => (nowMs += 1_000));

    const first = await list.read();
    await put(1_200, 1_201);
    list.note([records[1_200]?.userUpload ?? '']);
    const second = await list.read();

    const idsOf = (some: readonly { readonly userUpload: string }[]) => some.map(({ userUpload }) => userUpload);
    expect(first.total).toBe(1_200);
    expect(idsOf(first.newest)).toEqual(idsOf(records.slice(-21, -1).reverse()));
    // No scan has counted the new record yet.
    expect(second.total).toBe(1_200);
    expect(idsOf(second.newest)).toEqual(idsOf(records.slice(-20).reverse()));
  } finally {
    await close();
    await sqs.close();
  }
});

function metricLine(service: string, metrics: Record<string, number>, fields: object, Timestamp = 1): string {
  const Metrics = Object.keys(metrics).map((Name) => ({ Name }));
  return JSON.stringify({ _aws: { Timestamp, CloudWatchMetrics: [{ Metrics }] }, service, ...metrics, ...fields });
}

function request(deliveryId: string): string {
  return metricLine('ingest', { Accepted: 1 }, { deliveryId, status: 'accepted', event: added, userUpload: 'upload' });
}

function batch(deliveryIds: string, metrics: Record<string, number>): string {
  return metricLine(added, metrics, { deliveryIds });
}

function noteAll(log: ReturnType<typeof createDeliveryLog>, lines: readonly string[]): void {
  for (const line of lines.map(parseLogLine)) if (line) log.note(line);
}
