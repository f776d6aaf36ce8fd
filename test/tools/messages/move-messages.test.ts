import { randomUUID } from 'node:crypto';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type EventType, eventTypes } from '../../../functions/domain/events.ts';
import { reconciliation } from '../../../functions/domain/queue-message.ts';
import { maxErrors } from '../../../tools/messages/dead-messages.ts';
import {
  type Move,
  moveMessages,
  redriveDestination,
  releaseDestination,
} from '../../../tools/messages/move-messages.ts';
import { startSqs } from '../../support/emulators/emulators.ts';
import { newUpload, webhookBody } from '../../support/fakes/argyle-sender.ts';
import { type Call, countOf, createQueue, type Disturb, disturbCalls } from './disturbed-sqs.ts';

type Queue = Awaited<ReturnType<typeof createQueue>>;

const added = 'user_uploads.added';
const removed = 'user_uploads.removed';
const receivedAt = '2026-11-24T09:00:00.000Z';

let sqs: Awaited<ReturnType<typeof startSqs>>;
beforeAll(async () => {
  sqs = await startSqs();
});
afterAll(() => sqs.close());

let from: Queue;
let to: Queue;
let endDisturbance: (() => unknown) | undefined;
beforeEach(async () => {
  from = await createQueue(sqs.client, randomUUID());
  to = await createQueue(sqs.client, randomUUID());
});
afterEach(() => endDisturbance?.());

describe('a move', () => {
  test('sends each message before it deletes it, once, and leaves the messages without a destination visible', async () => {
    await from.put('a', 'stays', 'b');
    const calls = disturbed();
    const counts: number[] = [];

    const result = await move({ onMoved: (moved) => counts.push(moved) });

    expect(result).toEqual({ moved: 2, left: 1, errors: [] });
    expect(calls.map(({ operation }) => operation).filter((name) => /^(Send|Delete)/.test(name))).toEqual([
      'SendMessage',
      'DeleteMessage',
      'SendMessage',
      'DeleteMessage',
    ]);
    expect(counts).toEqual([1, 2]);
    expect([await to.bodies(), await from.counts()]).toEqual([['a', 'b'], { visible: 1, inFlight: 0 }]);
  });

  test('keeps a message that cannot be sent, and moves the others', async () => {
    await from.put('a', 'b', 'c');
    const error = new Error('SQS does not answer.');
    disturbed(({ operation, input }) => (operation === 'SendMessage' && input.MessageBody === 'b' ? error : undefined));

    expect(await move()).toEqual({ moved: 2, left: 1, errors: [error] });
    expect([await to.bodies(), await from.counts()]).toEqual([['a', 'c'], { visible: 1, inFlight: 0 }]);
    expect(await from.bodies()).toEqual(['b']);
  });

  test('keeps a message that SQS may not have stored', async () => {
    await from.put('a');
    disturbed(({ operation }) => (operation === 'SendMessage' ? {} : undefined));

    expect(await move()).toMatchObject({
      moved: 0,
      left: 1,
      errors: [{ message: expect.stringContaining('MessageId') }],
    });
    expect(await from.bodies()).toEqual(['a']);
  });

  test('that crashes between sending and deleting loses no message: the next move sends it again', async () => {
    await from.put('a');
    const error = new Error('crash');
    disturbed(({ operation }) => (operation === 'DeleteMessage' ? error : undefined));

    expect(await move()).toEqual({ moved: 0, left: 1, errors: [error] });
    expect([await to.bodies(), await from.bodies()]).toEqual([['a'], ['a']]);

    endDisturbance?.();
    expect(await move()).toEqual({ moved: 1, left: 0, errors: [] });
    expect([await to.bodies(), await from.counts()]).toEqual([['a', 'a'], { visible: 0, inFlight: 0 }]);
  });

  test('makes all messages visible again when SQS stops answering receives', async () => {
    await from.put(...Array.from({ length: 12 }, (_, number) => `stays ${number}`));
    disturbed(({ operation }, earlier) =>
      operation === 'ReceiveMessage' && countOf(earlier, operation) === 1 ? new Error('down') : undefined,
    );

    await expect(move()).rejects.toThrow('down');
    expect(await from.counts()).toEqual({ visible: 12, inFlight: 0 });
  });

  test('ends after ten errors, which have a common cause', async () => {
    await from.put(...Array.from({ length: 25 }, (_, number) => `${number}`));
    const calls = disturbed(({ operation }) => (operation === 'SendMessage' ? new Error('denied') : undefined));

    const { moved, left, errors } = await move();

    expect({ moved, left, errors: errors.length }).toEqual({ moved: 0, left: 10, errors: maxErrors });
    expect(countOf(calls, 'SendMessage')).toBe(10);
    expect(await from.counts()).toEqual({ visible: 25, inFlight: 0 });
  });

  test('ends after the message in progress when its signal aborts', async () => {
    await from.put('a', 'b', 'c');
    const interrupted = new AbortController();

    const result = await move({ onMoved: () => interrupted.abort(), signal: interrupted.signal });

    expect(result).toEqual({ moved: 1, left: 2, errors: [] });
    expect(await from.counts()).toEqual({ visible: 2, inFlight: 0 });
  });

  test('moves no more messages than its maximum', async () => {
    await from.put(...Array.from({ length: 15 }, (_, number) => `${number}`));

    expect(await move({ max: 12 })).toEqual({ moved: 12, left: 0, errors: [] });
    expect(await from.counts()).toEqual({ visible: 3, inFlight: 0 });
  });

  test('does not move a message that failed again meanwhile, and makes it visible again', async () => {
    await from.put('a', 'b');
    // SQS keeps the id of a message that it moves to a dead-letter queue.
    const [first] = await receive(from.url);
    const failedAgain = { Messages: [first] };
    const calls = disturbed(({ operation }, earlier) =>
      operation === 'ReceiveMessage' && countOf(earlier, operation) < 3 ? failedAgain : undefined,
    );

    expect(await move({ max: 3 })).toMatchObject({ moved: 2 });
    expect(countOf(calls, 'SendMessage')).toBe(2);
    const [changed] = calls.filter(({ operation }) => operation === 'ChangeMessageVisibilityBatch');
    expect(changed?.input.Entries).toHaveLength(2);
  });

  test('sends as many messages per second as its rate, failed ones included', async () => {
    await from.put('0', '1', '2', '3', '4');
    let nowMs = 1_000_000;
    const sentMs: number[] = [];
    disturbed(({ operation, input }) => {
      if (operation !== 'SendMessage') return undefined;
      sentMs.push(nowMs - 1_000_000);
      nowMs += 100;
      return input.MessageBody === '1' ? new Error('refused') : undefined;
    });
    const sleep = async (milliseconds: number) => {
      nowMs += milliseconds;
    };

    await moveMessages(sqs.client, { ...moveOf(), rate: 2 }, { nowMs: () => nowMs, sleep });

    expect(sentMs).toEqual([0, 500, 1_000, 1_500, 2_000]);
  });
});

describe('the destination', () => {
  const queueUrls = Object.fromEntries(eventTypes.map((event) => [event, `queue of ${event}`])) as Record<
    EventType,
    string
  >;
  const waiting = (body: string, attributes: Readonly<Record<string, string>>) => ({ message: {}, body, attributes });

  test.each(eventTypes)('of a dead letter of %s is the queue of that event, with unchanged attributes', (event) => {
    const attributes = { event, receivedAt, deliveryId: 'd', encoding: 'base64', origin: reconciliation, other: 'x' };
    const body = Buffer.from(webhookBody(event, newUpload())).toString('base64');

    expect(redriveDestination(queueUrls, event)(waiting(body, attributes))).toEqual({
      queueUrl: queueUrls[event],
      attributes,
    });
  });

  test('of a dead letter of another event is the queue of its own event, whose name it gets', () => {
    const body = webhookBody(removed, newUpload());

    expect(redriveDestination(queueUrls, added)(waiting(body, { event: added, receivedAt, deliveryId: 'd' }))).toEqual({
      queueUrl: queueUrls[removed],
      attributes: { event: removed, receivedAt, deliveryId: 'd' },
    });
  });

  test.each([
    ['a body that is not JSON', 'not JSON', { event: added, receivedAt }],
    ['no receipt time', webhookBody(removed, newUpload()), { event: added }],
  ])('of a dead letter with %s is the queue that it came from, with unchanged attributes', (_, body, attributes) => {
    expect(redriveDestination(queueUrls, added)(waiting(body, attributes))).toEqual({
      queueUrl: queueUrls[added],
      attributes,
    });
  });

  test.each(eventTypes)('of a quarantined message of %s is the queue of that event, whose name it gets', (event) => {
    const message = waiting(webhookBody(event, newUpload()), { event: 'unreadable', receivedAt, deliveryId: 'd' });

    expect(releaseDestination(queueUrls)(message)).toEqual({
      queueUrl: queueUrls[event],
      attributes: { event, receivedAt, deliveryId: 'd' },
    });
  });

  test.each([
    ['an unknown event', webhookBody('accounts.added', newUpload())],
    ['a missing id', JSON.stringify({ event: added, data: {} })],
    ['a body that is not JSON', 'not JSON'],
  ])('of a quarantined message with %s does not exist', (_, body) => {
    expect(releaseDestination(queueUrls)(waiting(body, { event: added, receivedAt }))).toBeUndefined();
  });
});

function moveOf(): Move {
  return {
    from: from.url,
    destinationOf: ({ body, attributes }) => (body.startsWith('stays') ? undefined : { queueUrl: to.url, attributes }),
    max: 100,
    rate: Number.POSITIVE_INFINITY,
    onMoved: () => undefined,
    signal: new AbortController().signal,
  };
}

function move(changes: Partial<Move> = {}) {
  return moveMessages(sqs.client, { ...moveOf(), ...changes });
}

function disturbed(disturb?: Disturb): readonly Call[] {
  const { calls, end } = disturbCalls(sqs.client, disturb);
  endDisturbance = end;
  return calls;
}

async function receive(QueueUrl: string) {
  const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 1, VisibilityTimeout: 60 });
  return (await sqs.client.send(command)).Messages ?? [];
}
