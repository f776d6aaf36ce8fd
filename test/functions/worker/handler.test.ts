import type { SQSRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import type { Postponement } from '../../../functions/aws/event-queue.ts';
import type { Envelope } from '../../../functions/domain/envelope.ts';
import { batchBudgetMs, createWorker } from '../../../functions/worker/handler.ts';
import type { ApplyOutcome } from '../../../functions/worker/upload-store.ts';
import { sample, sampleBody, sqsRecord } from '../../support/builders/builders.ts';
import { fakeTelemetry } from '../../support/fakes/fakes.ts';

// What the store says to an upload, by the first digits of its id; any other is applied.
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

describe('the worker', () => {
  it('reports exactly the messages of a batch that failed', async () => {
    const { work } = setUp();
    expect(await work(mixedBatch)).toEqual({
      batchItemFailures: ['unreadable', 'wrong event', 'store failure', 'expired', 'no time', 'unknown encoding'].map(
        (itemIdentifier) => ({ itemIdentifier }),
      ),
    });
  });

  it('applies the readable events of its own type, and nothing else', async () => {
    const { work, applied } = setUp();
    await work(mixedBatch);
    expect(applied.map(({ userUpload }) => userUpload)).toEqual([
      sample.userUpload,
      stale,
      broken,
      expired,
      sample.userUpload,
    ]);
    expect(applied[0]).toEqual({
      ...{ event: sample.event, account: sample.account, user: sample.user, userUpload: sample.userUpload },
      ...{ receivedAt: sample.receivedAt, mayCreate: true },
    });
  });

  it('sends what will never work to the dead-letter queue at once and lets the rest wait', async () => {
    const { work, postponed } = setUp();
    await work(mixedBatch);
    expect(postponed).toEqual([
      [
        { receiptHandle: 'handle of unreadable', delaySeconds: 0 },
        { receiptHandle: 'handle of wrong event', delaySeconds: 0 },
        { receiptHandle: 'handle of store failure', delaySeconds: 20 },
        { receiptHandle: 'handle of expired', delaySeconds: 0 },
        { receiptHandle: 'handle of no time', delaySeconds: 0 },
        { receiptHandle: 'handle of unknown encoding', delaySeconds: 0 },
      ],
    ]);
  });

  it.each([
    { receiveCount: 1, random: 0, delaySeconds: 5 },
    { receiveCount: 2, random: 0, delaySeconds: 10 },
    { receiveCount: 2, random: 0.8, delaySeconds: 12 },
    { receiveCount: 10, random: 0, delaySeconds: 2_560 },
    { receiveCount: 16, random: 0, delaySeconds: 3_600 },
  ])('lets a message wait by how often it was received: %j', async ({ receiveCount, random, delaySeconds }) => {
    const { work, postponed } = setUp({ random });
    await work([sqsRecord(sampleBody({ userUpload: broken }), { receiveCount })]);
    expect(postponed).toEqual([[{ receiptHandle: 'handle of message-1', delaySeconds }]]);
  });

  it('lets a message received over 30 days ago change a record, but not create one', async () => {
    const { work, applied } = setUp({ nowMs: () => Date.parse(sample.receivedAt) + 30 * 86_400_000 + 1 });
    await work([sqsRecord(sampleBody())]);
    expect(applied).toMatchObject([{ mayCreate: false }]);
  });

  it('reports a message without any attributes, and calls its delivery unknown', async () => {
    const { work, errors } = setUp();
    const failures = await work([{ ...sqsRecord(sampleBody()), messageAttributes: {} }]);
    expect(failures).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-1' }] });
    expect(errors).toMatchObject([{ fields: { deliveryId: 'unknown', kind: 'permanent', reason: 'unreadable' } }]);
  });

  it('reports a message whose encoding is not told in text', async () => {
    const { work, applied } = setUp();
    const { messageAttributes, ...record } = sqsRecord(sampleBody());
    const encoding = { dataType: 'Binary', binaryValue: 'YmFzZTY0' } as const;
    const failures = await work([{ ...record, messageAttributes: { ...messageAttributes, encoding } }]);
    expect(failures).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-1' }] });
    expect(applied).toEqual([]);
  });

  it('gives an empty list and postpones nothing when every message worked', async () => {
    const { work, postponed, errors } = setUp();
    const batch = [sqsRecord(sampleBody()), sqsRecord(sampleBody({ userUpload: stale }))];
    expect(await work(batch)).toEqual({ batchItemFailures: [] });
    expect([postponed, errors]).toEqual([[], []]);
  });

  it('reports the right failures even if postponing them fails, and says so', async () => {
    const refusal = new Error('no');
    const { work, errors, measured } = setUp({ postpone: () => Promise.reject(refusal) });
    const batch = [sqsRecord(sampleBody(), { messageId: 'good' }), sqsRecord('', { messageId: 'bad' })];
    expect(await work(batch)).toEqual({ batchItemFailures: [{ itemIdentifier: 'bad' }] });
    expect(errors.at(-1)).toEqual({ code: 'records_not_postponed', error: refusal, fields: { records: 1 } });
    expect(measured).toHaveLength(1);
  });

  it('prints one measure line with the counts and the time of the batch', async () => {
    let now = Date.parse(sample.receivedAt);
    const onApply = () => {
      now += 7;
    };
    const { work, measured } = setUp({ nowMs: () => now, onApply });
    await work(mixedBatch);
    const metrics = { Applied: 2, Stale: 1, FailedForNow: 1, FailedForGood: 5, DurationMs: 35 };
    expect(measured).toEqual([{ metrics, fields: expect.objectContaining({ records: 9 }) }]);
  });

  it('names in it the documents and deliveries of the batch, each once', async () => {
    const { work, measured } = setUp();
    await work(mixedBatch);
    expect(measured[0]?.fields).toEqual({
      records: 9,
      userUploads: [sample.userUpload, stale, broken, expired].join(' '),
      deliveryIds: `${sample.requestId} request-7`,
    });
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
    const failure = errors.find(({ fields }) => fields.messageId === 'store failure');
    const ids = { messageId: 'store failure', deliveryId: 'request-7', userUpload: broken };
    const fields = { ...ids, kind: 'retryable', reason: 'not_stored' };
    expect(failure).toEqual({ code: 'record_failed', error: new Error('the store is down'), fields });
  });
});

type Applied = Envelope & { readonly receivedAt: string; readonly mayCreate: boolean };

type Setup = {
  random?: number;
  nowMs?: () => number;
  onApply?: () => void;
  postpone?: () => Promise<void>;
};

function setUp({ random = 0, nowMs = () => Date.parse(sample.receivedAt), onApply, postpone }: Setup = {}) {
  const applied: Applied[] = [];
  const postponed: (readonly Postponement[])[] = [];
  const { telemetry, measured, errors } = fakeTelemetry();
  const worker = createWorker({
    eventType: sample.event,
    applyEvent: async (envelope, receivedAt, { mayCreate }): Promise<ApplyOutcome> => {
      onApply?.();
      applied.push({ ...envelope, receivedAt, mayCreate });
      if (envelope.userUpload === broken) throw new Error('the store is down');
      if (envelope.userUpload === expired) return { kind: 'expired' };
      return { kind: envelope.userUpload === stale ? 'stale' : 'applied', isRemoved: false };
    },
    postponeMessages: async (messages) => {
      postponed.push(messages);
      await postpone?.();
    },
    telemetry,
    nowMs,
    random: () => random,
    budgetMs: batchBudgetMs,
  });
  return { work: (Records: SQSRecord[]) => worker({ Records }), applied, postponed, measured, errors };
}
