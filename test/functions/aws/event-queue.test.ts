import { randomUUID } from 'node:crypto';
import { CreateQueueCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createFailedMessages, createSendMessage, type Postponement } from '../../../functions/aws/event-queue.ts';
import { decodeBody } from '../../../functions/domain/message-body.ts';
import { writeMessage } from '../../../functions/domain/queue-message.ts';
import { bodyLimitBytes } from '../../../functions/ingest/handler.ts';
import { bodyOfSize, sample, sampleBody } from '../../support/builders/builders.ts';
import { type Emulator, startSqs } from '../../support/emulators/emulators.ts';

let sqs: Emulator<SQSClient>;
beforeAll(async () => {
  sqs = await startSqs();
  return sqs.close;
});

const attributes = { event: sample.event, receivedAt: sample.receivedAt, deliveryId: sample.requestId };

describe('sending', () => {
  it('keeps the first and last characters of the allowed ranges verbatim', async () => {
    const edges = '\t\n\r \u007f\u0085\ud7ff\ue000\ufeff\ufffd';
    const body = `${edges}${sampleBody({ name: edges })}${edges}`;
    expect(await sendAndReceive(Buffer.from(body))).toEqual({ body, attributes });
  });

  it.each(['', '\u0000', '\u001f', '\ufffe', '\uffff', '🧾'])('encodes a body that SQS refuses: %j', async (text) => {
    const { body, attributes: received } = await sendAndReceive(Buffer.from(text));
    expect(received).toEqual({ ...attributes, encoding: 'base64' });
    expect(Buffer.from(decodeBody(body, 'base64') ?? []).toString()).toBe(text);
  });

  it('accepts the maximum body of ingest, verbatim and in base64', async () => {
    const verbatim = Buffer.from(bodyOfSize(bodyLimitBytes));
    expect((await sendAndReceive(verbatim)).body).toBe(verbatim.toString());
    const binary = Buffer.alloc(bodyLimitBytes, 0xff);
    expect((await sendAndReceive(binary)).body).toBe(binary.toString('base64'));
  });

  it('throws when the queue does not exist', async () => {
    await expect(send('http://127.0.0.1/0/none', 'body')).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  });

  it('throws and sends nothing when its signal has aborted', async () => {
    const queueUrl = await createQueue();
    await expect(send(queueUrl, 'body', AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    expect(await receive(queueUrl)).toEqual([]);
  });
});

describe('postponing', () => {
  it('makes a message visible at once', async () => {
    const queueUrl = await createQueue({ VisibilityTimeout: '3600' });
    const [first = ''] = await sendAndReceiveAll(queueUrl, ['at once', 'unchanged']);
    await postponeTo(queueUrl, [{ receiptHandle: first, delaySeconds: 0 }]);
    expect(await receive(queueUrl)).toMatchObject([{ Body: 'at once' }]);
  });

  it("makes a message visible later than the queue's visibility time-out", async () => {
    const queueUrl = await createQueue({ VisibilityTimeout: '1' });
    const [later = ''] = await sendAndReceiveAll(queueUrl, ['later', 'unchanged']);
    await postponeTo(queueUrl, [{ receiptHandle: later, delaySeconds: 43_200 }]);
    await expect.poll(() => receive(queueUrl), { timeout: 20_000 }).toMatchObject([{ Body: 'unchanged' }]);
  });

  it('throws when SQS refuses some messages, after postponing the others', async () => {
    const queueUrl = await createQueue();
    const [good = ''] = await sendAndReceiveAll(queueUrl, ['good']);
    const postponing = postponeTo(queueUrl, [
      { receiptHandle: 'unknown', delaySeconds: 0 },
      { receiptHandle: good, delaySeconds: 0 },
    ]);
    await expect(postponing).rejects.toThrow(
      'SQS refused 1 visibility changes. The first error is ReceiptHandleIsInvalid.',
    );
    expect(await receive(queueUrl)).toMatchObject([{ Body: 'good' }]);
  });

  it('accepts ten messages, the size of a batch', async () => {
    const queueUrl = await createQueue();
    const bodies = Array.from({ length: 10 }, (_, index) => `message ${index}`);
    const handles = await sendAndReceiveAll(queueUrl, bodies);
    await postponeTo(
      queueUrl,
      handles.map((receiptHandle) => ({ receiptHandle, delaySeconds: 0 })),
    );
    expect(await receive(queueUrl)).toHaveLength(10);
  });
});

describe('sending a dead letter', () => {
  const text = (stringValue: string, dataType = 'String') => ({ dataType, stringValue });
  const messageAttributes = {
    ...{ event: text(sample.event), receivedAt: text(sample.receivedAt), deliveryId: text(sample.requestId) },
    ...{ count: text('7', 'Number.int'), trace: { dataType: 'Binary', binaryValue: 'AP8=' } },
  };

  it('keeps the body and every attribute, and adds the reason', async () => {
    const deadLetterQueueUrl = await createQueue();
    await failedMessages({ deadLetterQueueUrl }).sendDeadLetter({ body: 'body', messageAttributes }, 'wrong_event');
    const sent = (StringValue: string, DataType = 'String') => ({ DataType, StringValue });
    expect(await receive(deadLetterQueueUrl)).toMatchObject([
      {
        Body: 'body',
        MessageAttributes: {
          ...{ event: sent(sample.event), receivedAt: sent(sample.receivedAt), deliveryId: sent(sample.requestId) },
          ...{ count: sent('7', 'Number.int'), trace: { DataType: 'Binary', BinaryValue: Uint8Array.from([0, 255]) } },
          reason: sent('wrong_event'),
        },
      },
    ]);
  });

  it("replaces the reason of an earlier time, which SQS's own redrive keeps", async () => {
    const deadLetterQueueUrl = await createQueue();
    const redriven = { body: 'body', messageAttributes: { reason: text('not_stored') } };
    await failedMessages({ deadLetterQueueUrl }).sendDeadLetter(redriven, 'expired');
    const [letter] = await receive(deadLetterQueueUrl);
    expect(letter?.MessageAttributes).toEqual({ reason: { DataType: 'String', StringValue: 'expired' } });
  });

  it('throws when SQS refuses it', async () => {
    const { sendDeadLetter } = failedMessages({ deadLetterQueueUrl: 'http://127.0.0.1/0/none' });
    const sending = sendDeadLetter({ body: 'body', messageAttributes }, 'unreadable');
    await expect(sending).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  });
});

it('the functions for failed messages create one client, for the first of them', async () => {
  const queueUrl = await createQueue();
  const createClient = vi.fn(() => sqs.client);
  const { postponeMessages, sendDeadLetter } = createFailedMessages(createClient, {
    queueUrl,
    deadLetterQueueUrl: queueUrl,
  });
  expect(createClient).not.toHaveBeenCalled();
  for (const receiptHandle of await sendAndReceiveAll(queueUrl, ['one', 'two']))
    await postponeMessages([{ receiptHandle, delaySeconds: 0 }]);
  await sendDeadLetter({ body: 'three', messageAttributes: {} }, 'unreadable');
  expect(createClient).toHaveBeenCalledOnce();
});

async function createQueue(Attributes: Record<string, string> = {}): Promise<string> {
  const { QueueUrl = '' } = await sqs.client.send(new CreateQueueCommand({ QueueName: randomUUID(), Attributes }));
  return QueueUrl;
}

async function send(queueUrl: string, body: string | Uint8Array, signal = AbortSignal.timeout(60_000)): Promise<void> {
  const delivery = { event: sample.event, receivedAtMs: Date.parse(sample.receivedAt), deliveryId: sample.requestId };
  await createSendMessage(sqs.client)(queueUrl, writeMessage({ ...delivery, body: Buffer.from(body) }), signal);
}

function postponeTo(queueUrl: string, messages: readonly Postponement[]): Promise<void> {
  return failedMessages({ queueUrl }).postponeMessages(messages);
}

function failedMessages({ queueUrl = 'unused', deadLetterQueueUrl = 'unused' }) {
  return createFailedMessages(() => sqs.client, { queueUrl, deadLetterQueueUrl });
}

async function receive(QueueUrl: string): Promise<readonly Message[]> {
  const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] });
  return (await sqs.client.send(command)).Messages ?? [];
}

/** Sends a body through a new queue and returns what a worker would receive. */
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

/** Sends messages, receives them, and returns their receipt handles in the order of the bodies. */
async function sendAndReceiveAll(queueUrl: string, bodies: readonly string[]): Promise<readonly string[]> {
  for (const body of bodies) await send(queueUrl, body);
  const messages = await receive(queueUrl);
  return bodies.map((body) => messages.find(({ Body }) => Body === body)?.ReceiptHandle ?? '');
}
