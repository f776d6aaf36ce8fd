import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateQueueCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createPostponeMessages, createSendMessage } from '../../../functions/aws/event-queue.ts';
import { decodeBody } from '../../../functions/domain/message-body.ts';
import { writeMessage } from '../../../functions/domain/queue-message.ts';
import { bodyLimitBytes } from '../../../functions/ingest/handler.ts';
import { bodyOfSize, sample, sampleBody } from '../../support/builders/builders.ts';
import { type Emulator, startSqs } from '../../support/emulators/emulators.ts';

let engine: Emulator<SQSClient>;
beforeAll(async () => {
  engine = await startSqs();
  return engine.close;
});

const attributes = { event: sample.event, receivedAt: sample.receivedAt, deliveryId: sample.requestId };

describe('a message that is sent', () => {
  it.each(['0009', '000A', '000D', '0020', '007F', '0085', 'D7FF', 'E000', 'FEFF', 'FFFD'])(
    'arrives verbatim with its attributes, at an edge of what SQS takes: U+%s',
    async (codePoint) => {
      const character = String.fromCodePoint(Number.parseInt(codePoint, 16));
      const body = `${character}${sampleBody({ name: character })}${character}`;
      expect(await sendAndReceive(Buffer.from(body))).toEqual({ body, attributes });
    },
  );

  it.each([
    ['nothing', ''],
    ['U+0000', '\u0000'],
    ['U+001F', '\u001f'],
    ['U+FFFE', '\ufffe'],
    ['U+FFFF', '\uffff'],
    ['a character above U+FFFF', '🧾'],
  ])('arrives in base64 with its attributes, past an edge of what SQS takes: %s', async (_, text) => {
    const { body, attributes: received } = await sendAndReceive(Buffer.from(text));
    expect(received).toEqual({ ...attributes, encoding: 'base64' });
    expect(Buffer.from(decodeBody(body, 'base64') ?? []).toString()).toBe(text);
  });

  it('may be the longest body that ingest takes, verbatim or in base64', async () => {
    const verbatim = Buffer.from(bodyOfSize(bodyLimitBytes));
    expect((await sendAndReceive(verbatim)).body).toBe(verbatim.toString());
    const binary = Buffer.alloc(bodyLimitBytes, 0xff);
    expect((await sendAndReceive(binary)).body).toBe(binary.toString('base64'));
  });

  it('throws when there is no such queue', async () => {
    const message = writeMessage({ event: sample.event, receivedAtMs: 0, deliveryId: '1', body: Buffer.from('{}') });
    const sending = createSendMessage(engine.client)('http://127.0.0.1/0/none', message, AbortSignal.timeout(5_000));
    await expect(sending).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  });

  it('throws when it is told to give up', async () => {
    const queueUrl = await createQueue();
    const message = writeMessage({ event: sample.event, receivedAtMs: 0, deliveryId: '1', body: Buffer.from('{}') });
    const sending = createSendMessage(engine.client)(queueUrl, message, AbortSignal.abort());
    await expect(sending).rejects.toMatchObject({ name: 'AbortError' });
    expect(await receive(queueUrl)).toEqual([]);
  });
});

describe('a message that is postponed', () => {
  it('comes back at once or later, as asked, instead of when the queue would bring it', async () => {
    const queueUrl = await createQueue({ VisibilityTimeout: '2' });
    const handles = await receiveNew(queueUrl, ['later', 'at once', 'left alone']);
    await createPostponeMessages(
      () => engine.client,
      queueUrl,
    )([
      { receiptHandle: handles['later'] ?? '', delaySeconds: 60 },
      { receiptHandle: handles['at once'] ?? '', delaySeconds: 0 },
    ]);
    expect((await receive(queueUrl)).map(({ Body }) => Body)).toEqual(['at once']);
    await sleep(2_100);
    expect((await receive(queueUrl)).map(({ Body }) => Body).sort()).toEqual(['at once', 'left alone']);
  });

  it('throws when SQS refuses some, having postponed the others', async () => {
    const queueUrl = await createQueue();
    const handles = await receiveNew(queueUrl, ['good']);
    const postponing = createPostponeMessages(
      () => engine.client,
      queueUrl,
    )([
      { receiptHandle: 'unknown', delaySeconds: 0 },
      { receiptHandle: handles['good'] ?? '', delaySeconds: 0 },
    ]);
    await expect(postponing).rejects.toThrow('SQS refused 1 visibility changes, the first: ReceiptHandleIsInvalid');
    expect((await receive(queueUrl)).map(({ Body }) => Body)).toEqual(['good']);
  });

  it('needs a client only when there is something to postpone, and one for all', async () => {
    const queueUrl = await createQueue();
    const connect = vi.fn(() => engine.client);
    const postponeMessages = createPostponeMessages(connect, queueUrl);
    expect(connect).not.toHaveBeenCalled();
    for (const receiptHandle of Object.values(await receiveNew(queueUrl, ['one', 'two'])))
      await postponeMessages([{ receiptHandle, delaySeconds: 0 }]);
    expect(connect).toHaveBeenCalledOnce();
  });

  it('may be one of ten, as many as a batch holds', async () => {
    const queueUrl = await createQueue();
    const bodies = Array.from({ length: 10 }, (_, index) => `message ${index}`);
    const handles = Object.values(await receiveNew(queueUrl, bodies));
    const postponeMessages = createPostponeMessages(() => engine.client, queueUrl);
    await postponeMessages(handles.map((receiptHandle) => ({ receiptHandle, delaySeconds: 0 })));
    expect(await receive(queueUrl)).toHaveLength(10);
  });
});

async function createQueue(Attributes: Record<string, string> = {}): Promise<string> {
  const { QueueUrl = '' } = await engine.client.send(new CreateQueueCommand({ QueueName: randomUUID(), Attributes }));
  return QueueUrl;
}

async function send(queueUrl: string, body: Uint8Array): Promise<void> {
  const delivery = { event: sample.event, receivedAtMs: Date.parse(sample.receivedAt), deliveryId: sample.requestId };
  const message = writeMessage({ ...delivery, body });
  await createSendMessage(engine.client)(queueUrl, message, AbortSignal.timeout(5_000));
}

async function receive(QueueUrl: string): Promise<readonly Message[]> {
  const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] });
  return (await engine.client.send(command)).Messages ?? [];
}

/** Sends a body through a queue of its own and gives what a worker would receive. */
async function sendAndReceive(body: Uint8Array) {
  const queueUrl = await createQueue();
  await send(queueUrl, body);
  const [message] = await receive(queueUrl);
  const received = Object.entries(message?.MessageAttributes ?? {});
  return {
    body: message?.Body ?? '',
    attributes: Object.fromEntries(received.map(([name, { StringValue }]) => [name, StringValue])),
  };
}

/** Sends messages, receives them, and gives their receipt handles by their bodies. */
async function receiveNew(queueUrl: string, bodies: readonly string[]): Promise<Record<string, string>> {
  for (const body of bodies) await send(queueUrl, Buffer.from(body));
  return Object.fromEntries((await receive(queueUrl)).map(({ Body, ReceiptHandle }) => [Body, ReceiptHandle ?? '']));
}
