import { describe, expect, it } from 'vitest';
import type { Envelope } from '../../../functions/domain/envelope.ts';
import { workerTimeoutSeconds } from '../../../functions/domain/retry-budget.ts';
import { batchBudgetMs, type WorkerDependencies } from '../../../functions/worker/handler.ts';
import { sample, sampleBody, sqsRecord } from '../../support/builders/builders.ts';
import { failed, setUpWorker } from '../../support/builders/worker.ts';

// The documents that the fake store does not apply.
const stale = '11111111-0000-0000-0000-000000000000';
const expired = '22222222-0000-0000-0000-000000000000';
const broken = '33333333-0000-0000-0000-000000000000';
const foreign = '44444444-0000-0000-0000-000000000000';

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
  it('reports and postpones exactly those that a retry can apply', async () => {
    const { work, postponed } = setUp();
    expect(await work(mixedBatch)).toEqual(failed('store failure'));
    expect(postponed).toEqual([[{ receiptHandle: 'handle of store failure', delaySeconds: 20 }]]);
  });

  it('sends those that no retry can apply to the dead-letter queue, each with its reason', async () => {
    const { work, deadLetters } = setUp();
    await work(mixedBatch);
    expect(deadLetters).toEqual([
      { messageId: 'unreadable', reason: 'unreadable' },
      { messageId: 'wrong event', reason: 'wrong_event' },
      { messageId: 'expired', reason: 'expired' },
      { messageId: 'no time', reason: 'unreadable' },
      { messageId: 'unknown encoding', reason: 'unreadable' },
    ]);
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

it('gives up an event with another owner than the record, and does not fetch its document', async () => {
  const enrich = () => Promise.reject(new Error('fetched'));
  const { work, deadLetters, errors } = setUp({ enrich });
  expect(await work([sqsRecord(sampleBody({ userUpload: foreign }))])).toEqual(failed());
  expect(deadLetters).toEqual([{ messageId: 'message-1', reason: 'owner_conflict' }]);
  const fields = { messageId: 'message-1', deliveryId: sample.requestId, userUpload: foreign };
  expect(errors).toEqual([
    { code: 'record_failed', error: undefined, fields: { ...fields, kind: 'permanent', reason: 'owner_conflict' } },
  ]);
});

it('gives up a message without attributes, with an unknown delivery', async () => {
  const { work, errors, deadLetters } = setUp();
  expect(await work([{ ...sqsRecord(sampleBody()), messageAttributes: {} }])).toEqual(failed());
  expect(deadLetters).toEqual([{ messageId: 'message-1', reason: 'unreadable' }]);
  expect(errors).toMatchObject([{ fields: { deliveryId: 'unknown', kind: 'permanent', reason: 'unreadable' } }]);
});

it('gives up a message whose encoding is a binary attribute', async () => {
  const { work, applied, deadLetters } = setUp();
  const { messageAttributes, ...record } = sqsRecord(sampleBody());
  const encoding = { dataType: 'Binary', binaryValue: 'YmFzZTY0' } as const;
  const message = { ...record, messageAttributes: { ...messageAttributes, encoding } };
  expect(await work([message])).toEqual(failed());
  expect(applied).toEqual([]);
  expect(deadLetters).toEqual([{ messageId: 'message-1', reason: 'unreadable' }]);
});

describe('a failure that a retry may end', () => {
  const sentMs = Date.parse(sample.receivedAt);
  const sixHoursMs = 6 * 3_600_000;
  const record = sqsRecord(sampleBody({ userUpload: broken }), { receiveCount: 15 });

  it('is retried until the message has been in its queue for six hours', async () => {
    const { work, deadLetters } = setUp({ nowMs: () => sentMs + sixHoursMs });
    expect(await work([record])).toEqual(failed('message-1'));
    expect(deadLetters).toEqual([]);
  });

  it('is given up afterwards: the message becomes a dead letter and is not postponed', async () => {
    const { work, deadLetters, postponed, errors, measured } = setUp({ nowMs: () => sentMs + sixHoursMs + 1 });
    expect(await work([record])).toEqual(failed());
    expect(deadLetters).toEqual([{ messageId: 'message-1', reason: 'not_stored' }]);
    expect(postponed).toEqual([]);
    expect(errors).toMatchObject([{ code: 'record_failed', fields: { kind: 'permanent', reason: 'not_stored' } }]);
    expect(measured[0]?.metrics).toMatchObject({ FailedForNow: 0, FailedForGood: 1 });
  });

  it('is retried after a redrive, which sends it as a new message', async () => {
    const { work, deadLetters } = setUp({ nowMs: () => sentMs + 20 * sixHoursMs });
    const sentAt = new Date(sentMs + 20 * sixHoursMs - 1_000).toISOString();
    const redriven = sqsRecord(sampleBody({ userUpload: broken }), { sentAt });
    expect(await work([redriven])).toEqual(failed('message-1'));
    expect(deadLetters).toEqual([]);
  });
});

describe('a dead letter that cannot be sent', () => {
  const error = new Error('SQS is down');
  const batch = [sqsRecord('not JSON', { messageId: 'bad' }), sqsRecord(sampleBody(), { messageId: 'good' })];
  const refuse = { sendDeadLetter: () => Promise.reject(error) };

  it('stays in its queue, and no other message of its batch does', async () => {
    const { work, postponed } = setUp(refuse);
    expect(await work(batch)).toEqual(failed('bad'));
    // It becomes visible after the visibility time-out.
    expect(postponed).toEqual([]);
  });

  it('is logged, and counts as a failure that is retried', async () => {
    const { work, errors, measured } = setUp(refuse);
    await work(batch);
    const fields = { messageId: 'bad', deliveryId: sample.requestId, reason: 'unreadable' };
    expect(errors.at(-1)).toEqual({ code: 'dead_letter_not_sent', error, fields });
    expect(measured[0]?.metrics).toMatchObject({ Applied: 1, FailedForNow: 1, FailedForGood: 0 });
  });

  it('does not delay the postponement of the others', async () => {
    const { promise: sending, resolve: end } = Promise.withResolvers<void>();
    const { promise: postponing, resolve: postpone } = Promise.withResolvers<void>();
    const { work } = setUp({ sendDeadLetter: () => sending, postponeMessages: async () => postpone() });
    const working = work([sqsRecord('not JSON'), sqsRecord(sampleBody({ userUpload: broken }))]);
    await postponing;
    end();
    await working;
  });
});

it('the time for a batch and for its failures is within the time-out of a worker', () => {
  // The limit of one call to SQS.
  expect(batchBudgetMs + 6_500).toBeLessThanOrEqual((workerTimeoutSeconds - 3) * 1_000);
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
  const bad = sqsRecord(sampleBody({ userUpload: broken }), { messageId: 'bad' });
  const batch = [sqsRecord(sampleBody(), { messageId: 'good' }), bad];
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
    if (envelope.userUpload === foreign) return { kind: 'owner_conflict' };
    return { kind: envelope.userUpload === stale ? 'stale' : 'applied', isRemoved: false };
  };
  return { ...setUpWorker({ applyEvent, ...setup }), applied };
}
