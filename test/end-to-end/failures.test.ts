import { createHmac } from 'node:crypto';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSecret } from '../../tools/local/secrets-manager.ts';
import { startTestPipeline, type TestPipeline, until } from '../support/emulators/local-pipeline.ts';
import { newUpload, sign, webhookBody } from '../support/fakes/argyle-sender.ts';

let pipeline: TestPipeline;
beforeAll(async () => {
  pipeline = await startTestPipeline();
});
afterAll(() => pipeline.stop());

const now = () => new Date().toISOString();
const deadLetters = async (event: string) => pipeline.readMessages(pipeline.queueOf(event).deadLetterUrl);

test('only the poison message of a batch reaches the dead-letter queue', async () => {
  const event = 'user_uploads.ocr_completed';
  const uploads = Array.from({ length: 12 }, newUpload);
  const poison = '{"event": "user_uploads.ocr_completed", "data": "poison"}';

  for (const [index, ids] of uploads.entries()) {
    if (index === 5) await pipeline.putOnQueue(event, poison, { event, receivedAt: now(), deliveryId: 'poison' });
    await pipeline.putOnQueue(event, webhookBody(event, ids), {
      event,
      receivedAt: now(),
      deliveryId: `delivery-${index}`,
    });
  }
  await until(async () => (await deadLetters(event)).length > 0);
  await pipeline.drained();

  const [letter, ...others] = await deadLetters(event);
  expect([letter?.Body, others]).toEqual([poison, []]);
  // The attributes of the message, and the reason that the worker adds.
  const attributes = Object.entries(letter?.MessageAttributes ?? {}).map(([name, { StringValue }]) => [
    name,
    StringValue,
  ]);
  expect(Object.fromEntries(attributes)).toEqual({
    ...{ event, deliveryId: 'poison', reason: 'unreadable' },
    receivedAt: expect.any(String),
  });
  for (const ids of uploads) expect(await pipeline.readRecord(ids.userUpload)).toMatchObject(ids);
});

test('a message with a binary attribute is kept in the dead-letter queue with it', async () => {
  const event = 'user_uploads.removed';
  const MessageAttributes = { trace: { DataType: 'Binary', BinaryValue: Uint8Array.from([0, 255]) } };
  const { url, deadLetterUrl } = pipeline.queueOf(event);
  await pipeline.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'poison', MessageAttributes }));
  await until(async () => (await deadLetters(event)).length > 0);

  const reason = { DataType: 'String', StringValue: 'unreadable' };
  expect(await deadLetters(event)).toMatchObject([
    { Body: 'poison', MessageAttributes: { ...MessageAttributes, reason } },
  ]);
  await pipeline.purge(deadLetterUrl);
});

test('a message of another event type reaches the dead-letter queue and changes no record', async () => {
  const ids = newUpload();
  const body = webhookBody('user_uploads.removed', ids);

  await pipeline.putOnQueue('user_uploads.added', body, {
    event: 'user_uploads.removed',
    receivedAt: now(),
    deliveryId: 'd',
  });
  await until(async () => (await deadLetters('user_uploads.added')).length > 0);

  expect((await deadLetters('user_uploads.added')).map(({ Body }) => Body)).toEqual([body]);
  expect(await pipeline.readRecord(ids.userUpload)).toBeUndefined();
});

test('an event with another owner than the record reaches the dead-letter queue, and the record keeps its owner', async () => {
  const event = 'user_uploads.ocr_authenticity';
  const ids = newUpload();
  const body = webhookBody(event, { ...newUpload(), userUpload: ids.userUpload });
  await pipeline.post(webhookBody('user_uploads.added', ids));
  await until(async () => (await pipeline.readRecord(ids.userUpload)) !== undefined);
  await pipeline.post(body);
  await until(async () => (await deadLetters(event)).length > 0);

  const letters = (await deadLetters(event)).map(({ Body, MessageAttributes }) => [Body, MessageAttributes?.reason]);
  expect(letters).toEqual([[body, { DataType: 'String', StringValue: 'owner_conflict' }]]);
  const record = await pipeline.readRecord(ids.userUpload);
  expect(record).toMatchObject(ids);
  expect(record).not.toHaveProperty('authenticityAt');
});

test('a message that is over 30 days old changes a record but creates none', async () => {
  const event = 'user_uploads.ocr_failed';
  const [known, unknown] = [newUpload(), newUpload()];
  const receivedAt = new Date(Date.now() - 31 * 86_400_000).toISOString();
  await pipeline.post(webhookBody('user_uploads.added', known));
  await pipeline.drained();

  for (const ids of [known, unknown])
    await pipeline.putOnQueue(event, webhookBody(event, ids), { event, receivedAt, deliveryId: 'old' });
  const removal = webhookBody('user_uploads.removed', unknown);
  await pipeline.putOnQueue('user_uploads.removed', removal, {
    event: 'user_uploads.removed',
    receivedAt,
    deliveryId: 'old',
  });
  await until(async () => (await deadLetters(event)).length > 0);
  await pipeline.drained();

  expect(await pipeline.readRecord(known.userUpload)).toMatchObject({ ...known, ocrFailedAt: receivedAt });
  expect(await pipeline.readRecord(unknown.userUpload)).toBeUndefined();
  expect(await deadLetters('user_uploads.removed')).toEqual([]);
});

test("a delivery is answered 503 while its queue is missing, and the sender's retry is stored", async () => {
  const event = 'user_uploads.ocr_authenticity';
  const ids = newUpload();
  const { url } = pipeline.queueOf(event);
  const { Attributes } = await pipeline.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['RedrivePolicy'] }),
  );
  await pipeline.sqs.send(new DeleteQueueCommand({ QueueUrl: url }));

  const first = await pipeline.post(webhookBody(event, ids));
  await pipeline.sqs.send(new CreateQueueCommand({ QueueName: url.split('/').at(-1), Attributes }));
  const retry = await pipeline.post(webhookBody(event, ids));
  await pipeline.drained();

  expect(first).toMatchObject({ code: 503, body: { status: 'unavailable' }, headers: { 'retry-after': '30' } });
  expect(retry).toMatchObject({ code: 200, body: { status: 'accepted' } });
  expect(await pipeline.readRecord(ids.userUpload)).toMatchObject(ids);
});

test('killed functions are replaced, and later deliveries are applied', async () => {
  const ids = newUpload();
  for (const lambda of pipeline.functions.values()) for (const pid of lambda.pids()) process.kill(pid, 'SIGKILL');

  // API Gateway answers 500 until the pipeline notices that the processes are dead. The sender retries.
  await until(async () => (await pipeline.post(webhookBody('user_uploads.added', ids))).code === 200);
  await until(async () => (await pipeline.readRecord(ids.userUpload)) !== undefined);

  expect(await pipeline.readRecord(ids.userUpload)).toMatchObject(ids);
});

test('signed messages that ingest does not understand reach the quarantine queue, byte for byte', async () => {
  const bodies = [
    webhookBody('accounts.connected', newUpload()),
    webhookBody('user_uploads.added', { ...newUpload(), user: '' }),
    'not JSON',
    '',
    Buffer.from([0x7b, 0xff, 0x00, 0x7d]),
  ];
  for (const body of bodies)
    expect(await pipeline.post(body)).toMatchObject({ code: 200, body: { status: 'quarantined' } });

  const messages = await pipeline.readMessages(pipeline.queueOf('quarantine').url);
  const kept = messages.map(({ Body = '', MessageAttributes }) =>
    Buffer.from(Body, MessageAttributes?.encoding?.StringValue === 'base64' ? 'base64' : 'utf8'),
  );
  expect(kept.map(String).sort()).toEqual(bodies.map(String).sort());
});

test('an unsigned delivery is answered 401 and stored nowhere', async () => {
  const body = webhookBody('user_uploads.added', newUpload());
  const before = await pipeline.queueStates();
  const reserialised = await sign(JSON.stringify(JSON.parse(body)), 'secret-of-the-test');
  const signatures = ['', 'abc', '0'.repeat(128), createHmac('sha512', '').update(body).digest('hex'), reserialised];

  for (const signature of signatures) {
    const answer = await pipeline.post(body, { 'X-Argyle-Signature': signature });
    expect(answer).toMatchObject({ code: 401, body: { status: 'bad_signature' } });
  }

  expect(await pipeline.queueStates()).toEqual(before);
});

// The last test: the pipeline has no secret afterwards.
test('without a secret, even a correct signature is answered 503 and nothing is stored', async () => {
  const ids = newUpload();
  const before = await pipeline.queueStates();
  const pids = () => [...pipeline.functions.values()].flatMap((lambda) => lambda.pids());
  for (const [arn] of pipeline.secrets) pipeline.secrets.set(arn, createSecret());
  // Ingest caches the secret for a minute, so its environments are replaced.
  const readers = pids();
  for (const pid of readers) process.kill(pid, 'SIGKILL');
  await until(async () => !pids().some((pid) => readers.includes(pid)));
  expect(await pipeline.post(webhookBody('user_uploads.added', ids))).toMatchObject({ code: 503 });

  for (const [arn] of pipeline.secrets) pipeline.secrets.set(arn, createSecret(''));
  expect(await pipeline.post(webhookBody('user_uploads.added', ids))).toMatchObject({ code: 503 });

  expect(await pipeline.readRecord(ids.userUpload)).toBeUndefined();
  expect(await pipeline.queueStates()).toEqual(before);
});
