import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { maxErrors, peek } from '../../../tools/messages/dead-messages.ts';
import { type Discard, discardMessages } from '../../../tools/messages/discard-messages.ts';
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

test('each batch is deleted before the next one is received, while its handles are new', async () => {
  await queue.put(...Array.from({ length: 25 }, (_, number) => String(number)));
  const messageIds = await idsOf(() => true);
  const calls = disturbed();

  expect(await discard({ messageIds })).toEqual({ discarded: 25, notReceived: 0, errors: [] });
  expect(calls.map(({ operation }) => operation)).toEqual([
    'ReceiveMessage',
    'DeleteMessageBatch',
    'ReceiveMessage',
    'DeleteMessageBatch',
    'ReceiveMessage',
    'DeleteMessageBatch',
  ]);
  expect(await queue.counts()).toEqual({ visible: 0, inFlight: 0 });
});

test('only messages that were confirmed and still qualify are deleted, and the others are visible again', async () => {
  await queue.put('confirmed', 'changed', 'other');
  const messageIds = await idsOf((body) => body !== 'other');

  const result = await discard({ messageIds, qualifies: ({ body }) => body !== 'changed' });

  expect(result).toEqual({ discarded: 1, notReceived: 0, errors: [] });
  expect(await queue.counts()).toEqual({ visible: 2, inFlight: 0 });
  expect(await queue.bodies()).toEqual(['changed', 'other']);
});

test('messages that SQS does not delete are not counted as deleted, and are visible again', async () => {
  await queue.put('a', 'b', 'c');
  const messageIds = await idsOf(() => true);
  const Failed = [{ Id: '1', Code: 'InternalError', Message: 'Try again.', SenderFault: false }];
  disturbed(({ operation }) =>
    operation === 'DeleteMessageBatch' ? { Successful: [{ Id: '0' }, { Id: '2' }], Failed } : undefined,
  );

  expect(await discard({ messageIds })).toEqual({ discarded: 2, notReceived: 0, errors: ['Try again.'] });
  // The emulator has not deleted the other two either.
  expect(await queue.counts()).toEqual({ visible: 1, inFlight: 2 });
});

test('after an error, the messages of its batch are visible again and the next batches are deleted', async () => {
  await queue.put(...Array.from({ length: 15 }, (_, number) => String(number)));
  const five = new Set((await idsInOrder()).slice(5));
  disturbed(({ operation }, earlier) =>
    operation === 'DeleteMessageBatch' && countOf(earlier, operation) === 0 ? new Error('no answer') : undefined,
  );

  const { discarded, errors } = await discard({ messageIds: five });

  expect({ discarded, errors }).toEqual({ discarded: 5, errors: Array(5).fill('no answer') });
  expect(await queue.counts()).toEqual({ visible: 10, inFlight: 0 });
});

test('ten errors end the deletion, and the rest is not reported as taken by another reader', async () => {
  await queue.put(...Array.from({ length: 25 }, (_, number) => String(number)));
  const messageIds = await idsOf(() => true);
  disturbed(({ operation }) => (operation === 'DeleteMessageBatch' ? new Error('denied') : undefined));

  const { discarded, notReceived, errors } = await discard({ messageIds });

  expect({ discarded, notReceived, errors: errors.length }).toEqual({
    discarded: 0,
    notReceived: 0,
    errors: maxErrors,
  });
  expect(await queue.counts()).toEqual({ visible: 25, inFlight: 0 });
});

test('an interrupted deletion ends after the batch in progress', async () => {
  await queue.put(...Array.from({ length: 25 }, (_, number) => String(number)));
  const messageIds = await idsOf(() => true);
  const interrupted = new AbortController();
  disturbed(({ operation }) => {
    if (operation === 'ReceiveMessage') interrupted.abort();
    return undefined;
  });

  const result = await discard({ messageIds, signal: interrupted.signal });

  expect(result).toEqual({ discarded: 10, notReceived: 0, errors: [] });
  expect(await queue.counts()).toEqual({ visible: 15, inFlight: 0 });
});

test('a message that another reader has taken is reported', async () => {
  await queue.put('a', 'b');
  const messageIds = new Set([...(await idsOf(() => true)), 'taken']);

  expect(await discard({ messageIds })).toEqual({ discarded: 2, notReceived: 1, errors: [] });
});

async function idsInOrder() {
  const messages = await peek(sqs.client, queue.url, { max: 100, signal: new AbortController().signal });
  return messages.map(({ message }) => message.MessageId);
}

async function idsOf(isChosen: (body: string) => boolean) {
  const messages = await peek(sqs.client, queue.url, { max: 100, signal: new AbortController().signal });
  return new Set(messages.filter(({ body }) => isChosen(body)).map(({ message }) => message.MessageId));
}

function discard(changes: Pick<Discard, 'messageIds'> & Partial<Discard>) {
  const { signal } = new AbortController();
  return discardMessages(sqs.client, {
    queueUrl: queue.url,
    qualifies: () => true,
    max: 100,
    signal,
    ...changes,
  });
}

function disturbed(disturb?: Disturb): readonly Call[] {
  const { calls, end } = disturbCalls(sqs.client, disturb);
  endDisturbance = end;
  return calls;
}
