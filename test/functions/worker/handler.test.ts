import { describe, expect, it } from 'vitest';
import type { Envelope } from '../../../functions/domain/envelope.ts';
import type { WorkerDependencies } from '../../../functions/worker/handler.ts';
import { sample, sampleBody, sqsRecord } from '../../support/builders/builders.ts';
import { failed, setUpWorker } from '../../support/builders/worker.ts';

// The documents that the fake store does not apply.
const stale = '11111111-0000-0000-0000-000000000000';
const expired = '22222222-0000-0000-0000-000000000000';
const broken = '33333333-0000-0000-0000-000000000000';

const mixedBatch = [
  sqsRecord(sampleBody(), { messageId: 'applied' }),
  sqsRecord('not JSON', { messageId: 'unreadable', receiveCount: 3 }),
  sqsRecord(sampleBody({ userUpload: stale }), { messageId: 'stale' }),
  sqsRecord(sampleBody({ event: 'user_uploads.removed' }), { messageId: 'wrong event', receiveCount: 3 }),
  sqsRecord(sampleBody({ userUpload: broken }), {
    messageId: 'store failure',
    receiveCount: 3,
    deliveryId: 'request-7',
  }),
  sqsRecord(sampleBody({ userUpload: expired }), { messageId: 'expired', receiveCount: 3 }),
  sqsRecord(sampleBody(), { messageId: 'no time', receivedAt: 'yesterday' }),
  sqsRecord(sampleBody(), { messageId: 'unknown encoding', encoding: 'gzip' }),
  sqsRecord(Buffer.from(sampleBody()).toString('base64'), { messageId: 'applied from base64', encoding: 'base64' }),
];

describe('a batch of good, bad and failing messages', () => {
  it('reports and postpones exactly the failed ones: permanent failures for 0 s', async () => {
    const { work, postponed } = setUp();
    const ids = ['unreadable', 'wrong event', 'store failure', 'expired', 'no time', 'unknown encoding'];
    expect(await work(mixedBatch)).toEqual(failed(...ids));
    const delayOf = (id: string) => (id === 'store failure' ? 20 : 0);
    expect(postponed).toEqual([ids.map((id) => ({ receiptHandle: `handle of ${id}`, delaySeconds: delayOf(id) }))]);
  });

  it("applies only the readable events of the worker's type", async () => {
    const { work, applied } = setUp();
    await work(mixedBatch);
    const userUploads = [sample.userUpload, stale, broken, expired, sample.userUpload];
    expect(applied.map(({ userUpload }) => userUpload)).toEqual(userUploads);
    const { event, account, user, userUpload, receivedAt } = sample;
    expect(applied[0]).toEqual({ event, account, user, userUpload, receivedAt, mayCreate: true });
  });

  it('prints one measure line with the counts, the time, the documents and the deliveries', async () => {
    let now = Date.parse(sample.receivedAt);
    const { work, measured } = setUp({
      nowMs: () => now,
      onApply: () => {
        now += 7;
      },
    });
    await work(mixedBatch);
    const metrics = { Applied: 2, Stale: 1, FailedForNow: 1, FailedForGood: 5, DurationMs: 35 };
    const userUploads = [sample.userUpload, stale, broken, expired].join(' ');
    const fields = { records: 9, userUploads, deliveryIds: `${sample.requestId} request-7` };
    expect(measured).toEqual([{ metrics, fields }]);
  });

  it('prints why each message failed, with its ids and nothing of its body', async () => {
    const { work, errors } = setUp();
    await work(mixedBatch);
    const byReason = errors.map(({ code, fields }) => [code, fields.messageId, fields.kind, fields.reason]);
    expect(byReason.sort()).toEqual([
      ['record_failed', 'expired', 'permanent', 'expired'],
      ['record_failed', 'no time', 'permanent', 'unreadable'],
      ['record_failed', 'store failure', 'retryable', 'not_stored'],
      ['record_failed', 'unknown encoding', 'permanent', 'unreadable'],
      ['record_failed', 'unreadable', 'permanent', 'unreadable'],
      ['record_failed', 'wrong event', 'permanent', 'wrong_event'],
    ]);
    const ids = { messageId: 'store failure', deliveryId: 'request-7', userUpload: broken };
    const fields = { ...ids, kind: 'retryable', reason: 'not_stored' };
    expect(errors).toContainEqual({ code: 'record_failed', error: new Error('the store is down'), fields });
  });
});

it.each([
  { receiveCount: 1, random: 0, delaySeconds: 5 },
  { receiveCount: 2, random: 0, delaySeconds: 10 },
  { receiveCount: 2, random: 0.8, delaySeconds: 12 },
  { receiveCount: 16, random: 0, delaySeconds: 3_600 },
])('postpones a message by its receive count: $receiveCount', async ({ receiveCount, random, delaySeconds }) => {
  const { work, postponed } = setUp({ random: () => random });
  await work([sqsRecord(sampleBody({ userUpload: broken }), { receiveCount })]);
  expect(postponed).toEqual([[{ receiptHandle: 'handle of message-1', delaySeconds }]]);
});

it('does not create a record from a message received over 30 days ago', async () => {
  const { work, applied } = setUp({ nowMs: () => Date.parse(sample.receivedAt) + 30 * 86_400_000 + 1 });
  await work([sqsRecord(sampleBody())]);
  expect(applied).toMatchObject([{ mayCreate: false }]);
});

it('reports a message without attributes, with an unknown delivery', async () => {
  const { work, errors } = setUp();
  expect(await work([{ ...sqsRecord(sampleBody()), messageAttributes: {} }])).toEqual(failed('message-1'));
  expect(errors).toMatchObject([{ fields: { deliveryId: 'unknown', kind: 'permanent', reason: 'unreadable' } }]);
});

it('reports a message whose encoding is a binary attribute', async () => {
  const { work, applied } = setUp();
  const { messageAttributes, ...record } = sqsRecord(sampleBody());
  const encoding = { dataType: 'Binary', binaryValue: 'YmFzZTY0' } as const;
  const message = { ...record, messageAttributes: { ...messageAttributes, encoding } };
  expect(await work([message])).toEqual(failed('message-1'));
  expect(applied).toEqual([]);
});

it('reports and postpones nothing when all messages succeed', async () => {
  const refusePostponing = { postponeMessages: () => Promise.reject(new Error('no')) };
  const { work, errors } = setUp(refusePostponing);
  const batch = [sqsRecord(sampleBody()), sqsRecord(sampleBody({ userUpload: stale }))];
  expect(await work(batch)).toEqual(failed());
  expect(errors).toEqual([]);
});

it('reports the failed messages even if postponing them fails', async () => {
  const error = new Error('no');
  const { work, errors, measured } = setUp({ postponeMessages: () => Promise.reject(error) });
  const batch = [sqsRecord(sampleBody(), { messageId: 'good' }), sqsRecord('', { messageId: 'bad' })];
  expect(await work(batch)).toEqual(failed('bad'));
  expect(errors.at(-1)).toEqual({ code: 'records_not_postponed', error, fields: { records: 1 } });
  expect(measured).toHaveLength(1);
});

function setUp({ onApply, ...setup }: Partial<WorkerDependencies> & { readonly onApply?: () => void } = {}) {
  const applied: (Envelope & { readonly receivedAt: string; readonly mayCreate: boolean })[] = [];
  const applyEvent: WorkerDependencies['applyEvent'] = async (envelope, receivedAt, { mayCreate }) => {
    onApply?.();
    applied.push({ ...envelope, receivedAt, mayCreate });
    if (envelope.userUpload === broken) throw new Error('the store is down');
    if (envelope.userUpload === expired) return { kind: 'expired' };
    return { kind: envelope.userUpload === stale ? 'stale' : 'applied', isRemoved: false };
  };
  return { ...setUpWorker({ applyEvent, ...setup }), applied };
}
