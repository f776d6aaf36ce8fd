import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  beingReadText,
  countMessages,
  countReceivable,
  deadReason,
  peek,
  readerTimeoutSeconds,
} from '../../../tools/messages/dead-messages.ts';
import { redriveDestination } from '../../../tools/messages/move-messages.ts';
import { sample, sampleBody } from '../../support/builders/builders.ts';
import { startSqs } from '../../support/emulators/emulators.ts';
import { type Call, countOf, createQueue, type Disturb, disturbCalls } from './disturbed-sqs.ts';

let sqs: Awaited<ReturnType<typeof startSqs>>;
beforeAll(async () => {
  sqs = await startSqs();
});
afterAll(() => sqs.close());

let queue: Awaited<ReturnType<typeof createQueue>>;
let endDisturbance: (() => unknown) | undefined;
beforeEach(async () => {
  queue = await createQueue(sqs.client, randomUUID());
});
afterEach(() => endDisturbance?.());

const { signal } = new AbortController();

test('countMessages names the queue that it cannot read', async () => {
  await expect(countMessages(sqs.client, queue.url.replace(/[^/]+$/, 'gone'))).rejects.toThrow(/^gone: .*not exist/);
});

const letter = (attributes: Readonly<Record<string, string>>, Attributes = {}) => ({
  ...{ body: sampleBody(), attributes: { event: sample.event, receivedAt: sample.receivedAt, ...attributes } },
  message: { Attributes },
});

test.each(['unreadable', 'wrong_event', 'expired', 'owner_conflict', 'not_stored', 'not_fetched'] as const)(
  'the reason of a dead letter is the one that its worker wrote: %s',
  (reason) => {
    expect(deadReason(letter({ reason }))).toBe(reason);
  },
);

test.each([
  ['has no reason', {}, {}],
  ['has an unknown reason', { reason: 'toString' }, {}],
  ['was moved by SQS with the reason of an earlier time', { reason: 'expired' }, { DeadLetterQueueSourceArn: 'arn' }],
])('no worker finished with a dead letter that %s', (_, attributes, systemAttributes) => {
  expect(deadReason(letter(attributes, systemAttributes))).toBe('not_finished');
});

test('redrive removes the reason and no other attribute', () => {
  const destinationOf = redriveDestination({ [sample.event]: 'queue' } as never, sample.event);
  const { attributes } = letter({ origin: 'reconciliation' });
  expect(destinationOf(letter({ origin: 'reconciliation', reason: 'not_stored' }))).toEqual({
    queueUrl: 'queue',
    attributes,
  });
});

describe('countReceivable', () => {
  test('receives nothing when messages are visible and none is in flight', async () => {
    await queue.put('a', 'b');
    const calls = disturbed();

    expect(await countReceivable(sqs.client, queue.url)).toEqual({ visible: 2, inFlight: 0 });
    expect(countOf(calls, 'ReceiveMessage')).toBe(0);
  });

  test('counts a message that it can receive although the counts of the queue are late', async () => {
    await queue.put('a');
    const late = { Attributes: { ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '0' } };
    disturbed(({ operation }) => (operation === 'GetQueueAttributes' ? late : undefined));

    expect(await countReceivable(sqs.client, queue.url)).toEqual({ visible: 1, inFlight: 0 });
  });

  test('keeps the larger count of visible messages while its own receive counts as in flight', async () => {
    await queue.put('a', 'b');
    const attributes = (visible: string, inFlight: string) => ({
      Attributes: { ApproximateNumberOfMessages: visible, ApproximateNumberOfMessagesNotVisible: inFlight },
    });
    disturbed(({ operation }, earlier) => {
      if (operation !== 'GetQueueAttributes') return undefined;
      return countOf(earlier, operation) === 0 ? attributes('2', '1') : attributes('1', '2');
    });

    expect(await countReceivable(sqs.client, queue.url)).toEqual({ visible: 2, inFlight: 2 });
  });
});

test.each([
  [0, /^$/],
  [1, /^1 message is being read by another reader, until 2026-11-24T09:02:00.000Z at the latest/],
  [2, /^2 messages are being read by another reader, until 2026-11-24T09:02:00.000Z at the latest/],
])('%i messages in flight are described with the end of the time-out', (inFlight, text) => {
  expect(beingReadText(inFlight, Date.parse('2026-11-24T09:00:00.000Z'))).toMatch(text);
});

describe('peek', () => {
  test('reads all messages with their attributes for two minutes, ten at a time, and makes them visible again', async () => {
    const bodies = Array.from({ length: 25 }, (_, number) => String(number));
    await queue.put(...bodies);
    const calls = disturbed();

    const messages = await peek(sqs.client, queue.url, { max: 1_000, signal });

    expect(messages.map(({ body }) => body)).toEqual(bodies);
    const [receive] = calls.filter(({ operation }) => operation === 'ReceiveMessage');
    expect(receive?.input).toMatchObject({
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ['All'],
      VisibilityTimeout: readerTimeoutSeconds,
    });
    expect(countOf(calls, 'ChangeMessageVisibilityBatch')).toBe(3);
    expect(await queue.counts()).toEqual({ visible: 25, inFlight: 0 });
  });

  test('makes the other messages visible again when SQS refuses ten of them', async () => {
    await queue.put(...Array.from({ length: 25 }, (_, number) => String(number)));
    disturbed(({ operation }, earlier) =>
      operation === 'ChangeMessageVisibilityBatch' && countOf(earlier, operation) === 0 ? new Error('no') : undefined,
    );

    expect(await peek(sqs.client, queue.url, { max: 1_000, signal })).toHaveLength(25);
    expect(await queue.counts()).toEqual({ visible: 15, inFlight: 10 });
  });

  test('ends when SQS returns the same messages for ever', async () => {
    const same = { Messages: [{ MessageId: 'same', ReceiptHandle: 'handle', Body: 'a' }] };
    const calls = disturbed(({ operation }) => (operation === 'ReceiveMessage' ? same : undefined));

    const messages = await peek(sqs.client, queue.url, { max: 3, signal });

    expect(messages.map(({ body }) => body)).toEqual(['a']);
    expect(countOf(calls, 'ReceiveMessage')).toBe(6);
  });

  test('reads at most its maximum', async () => {
    await queue.put(...Array.from({ length: 15 }, (_, number) => String(number)));

    expect(await peek(sqs.client, queue.url, { max: 12, signal })).toHaveLength(12);
    expect(await queue.counts()).toEqual({ visible: 15, inFlight: 0 });
  });

  test('makes all messages visible again when a receive fails', async () => {
    await queue.put(...Array.from({ length: 15 }, (_, number) => String(number)));
    disturbed(({ operation }, earlier) =>
      operation === 'ReceiveMessage' && countOf(earlier, operation) === 1 ? new Error('down') : undefined,
    );

    await expect(peek(sqs.client, queue.url, { max: 1_000, signal })).rejects.toThrow('down');
    expect(await queue.counts()).toEqual({ visible: 15, inFlight: 0 });
  });

  test('makes all messages visible again and throws when it is interrupted', async () => {
    await queue.put(...Array.from({ length: 25 }, (_, number) => String(number)));
    const interrupted = new AbortController();
    const calls = disturbed(({ operation }) => {
      if (operation === 'ReceiveMessage') interrupted.abort();
      return undefined;
    });

    await expect(peek(sqs.client, queue.url, { max: 1_000, signal: interrupted.signal })).rejects.toThrow(
      'Interrupted: all messages are back in their queue.',
    );
    expect(countOf(calls, 'ReceiveMessage')).toBe(1);
    expect(await queue.counts()).toEqual({ visible: 25, inFlight: 0 });
  });
});

function disturbed(disturb?: Disturb): readonly Call[] {
  const { calls, end } = disturbCalls(sqs.client, disturb);
  endDisturbance = end;
  return calls;
}
