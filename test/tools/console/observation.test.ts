import { randomUUID } from 'node:crypto';
import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { expect, test } from 'vitest';
import { createDeliveryLog } from '../../../tools/console/delivery-log.ts';
import { type MetricLine, type PrintedLine, readPrintedLine } from '../../../tools/console/printed-line.ts';
import { createRecordList } from '../../../tools/console/record-list.ts';
import { createTally, keptSeconds } from '../../../tools/console/tally.ts';
import { createUploadTable, startDynamoDb, startSqs } from '../../support/emulators/emulators.ts';

const added = 'user_uploads.added';

test('of a line that is no metric, or not whole, nothing is read', () => {
  const whole = metricLine('ingest', { Accepted: 1 }, { deliveryId: 'd' });
  expect(readPrintedLine('START RequestId: 1')).toBeUndefined();
  expect(readPrintedLine(whole.slice(0, -1))).toBeUndefined();
  expect(readPrintedLine('{"message":"record_failed"}')).toBeUndefined();
  expect(readPrintedLine(whole)).toMatchObject({ kind: 'metrics', service: 'ingest', metrics: { Accepted: 1 } });
});

test('a worker may tell of a delivery before ingest does', () => {
  const log = createDeliveryLog(10);
  noteAll(log, [request('d', 'upload'), batch('d', { Applied: 1, Stale: 0 })].reverse());
  const attempts = [{ at: expect.any(String), outcome: 'applied' }];
  expect(log.of('upload', 10)).toMatchObject([{ deliveryId: 'd', answer: 'accepted', event: added, attempts }]);
});

test('what failed says why, and what came of it later', () => {
  const log = createDeliveryLog(10);
  const failure = {
    message: 'record_failed',
    deliveryId: 'd',
    userUpload: 'upload',
    kind: 'retryable',
    reason: 'not_stored',
  };
  noteAll(log, [request('d', 'upload'), JSON.stringify(failure), batch('d', { FailedForNow: 1 })]);
  noteAll(log, [batch('d', { Applied: 1, Stale: 0 }), batch('d', { Applied: 0, Stale: 1 })]);
  expect(log.of('upload', 10)[0]?.attempts.map(({ outcome }) => outcome)).toEqual([
    'failed, will be tried again: not_stored',
    'applied',
    'a repeat: nothing to change',
  ]);
});

test('of very many deliveries only the newest are kept', () => {
  const log = createDeliveryLog(100);
  for (let number = 0; number < 1_000; number += 1) noteAll(log, [request(`d${number}`, 'upload')]);
  const kept = log.of('upload', 1_000);
  expect([kept.length, kept[0]?.deliveryId, kept.at(-1)?.deliveryId]).toEqual([100, 'd999', 'd900']);
});

test('throughput is by second, and forgets what is older than it shows', () => {
  let nowMs = 1_000_000;
  const tally = createTally(() => nowMs);
  const note = (line: string) => {
    const read = readPrintedLine(line);
    if (read?.kind === 'metrics') tally.note(read);
  };
  note(request('d', 'upload'));
  nowMs += 1_000;
  note(batch('d', { Applied: 2, Stale: 1 }));
  expect(tally.throughput().received.slice(-2)).toEqual([1, 0]);
  expect(tally.throughput().applied.slice(-2)).toEqual([0, 3]);

  nowMs += keptSeconds * 1_000;
  expect(tally.throughput()).toEqual({ received: Array(keptSeconds).fill(0), applied: Array(keptSeconds).fill(0) });
  expect(tally.funnel([added])).toMatchObject({ received: 1, applied: 3, repeated: 1 });
});

test('the last webhook is the last one that ingest accepted', () => {
  const tally = createTally(Date.now);
  const note = (outcome: string, Timestamp: number) =>
    tally.note(readPrintedLine(metricLine('ingest', { [outcome]: 1 }, {}, Timestamp)) as MetricLine);
  expect(tally.lastWebhookAt()).toBeNull();
  note('Accepted', 1_000);
  note('BadSignature', 2_000);
  expect(tally.lastWebhookAt()).toBe('1970-01-01T00:00:01.000Z');
});

test('of 10,000 records the newest are listed, and what a worker writes next is there without another look at all', async () => {
  const [{ client: dynamodb, close }, sqs] = [await startDynamoDb(), await startSqs()];
  try {
    const tableName = await createUploadTable(dynamodb);
    const timeOf = (number: number) => new Date(Date.UTC(2026, 0, 1) + number * 1_000).toISOString();
    const ids = Array.from({ length: 10_000 }, () => randomUUID());
    const put = async (numbers: readonly number[]) => {
      const requests = numbers.map((number) => {
        const record = { userUpload: ids[number], account: randomUUID(), user: randomUUID(), addedAt: timeOf(number) };
        return { PutRequest: { Item: marshall(record) } };
      });
      await dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: requests } }));
    };
    const numbers = ids.map((_, number) => number);
    while (numbers.length > 0) await put(numbers.splice(0, 25));
    let nowMs = 0;
    // Each look at the clock is a second later: the look at all records took one.
    const list = createRecordList({ dynamodb, sqs: sqs.client, tableName, queues: [] }, 20, () => (nowMs += 1_000));

    const first = await list.read();
    ids.push(randomUUID());
    await put([10_000]);
    list.note([ids[10_000] ?? '']);
    const second = await list.read();

    expect(first.total).toBe(10_000);
    expect(first.newest.map(({ userUpload }) => userUpload)).toEqual(ids.slice(-21, -1).reverse());
    expect(second.total).toBe(10_000);
    expect(second.newest.map(({ userUpload }) => userUpload)).toEqual(ids.slice(-20).reverse());
  } finally {
    await close();
    await sqs.close();
  }
});

function metricLine(service: string, metrics: Record<string, number>, fields: object, Timestamp = 1): string {
  const Metrics = Object.keys(metrics).map((Name) => ({ Name }));
  return JSON.stringify({ _aws: { Timestamp, CloudWatchMetrics: [{ Metrics }] }, service, ...metrics, ...fields });
}

function request(deliveryId: string, userUpload: string): string {
  return metricLine('ingest', { Accepted: 1 }, { deliveryId, status: 'accepted', event: added, userUpload });
}

function batch(deliveryIds: string, metrics: Record<string, number>): string {
  return metricLine(added, metrics, { deliveryIds });
}

function noteAll(log: ReturnType<typeof createDeliveryLog>, lines: readonly string[]): void {
  for (const line of lines) {
    const read: PrintedLine | undefined = readPrintedLine(line);
    if (read?.kind === 'metrics') log.note(read);
    if (read?.kind === 'failure') log.noteFailure(read);
  }
}
