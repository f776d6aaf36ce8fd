import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { redrive } from '../../../tools/console/actions.ts';
import { readQueues, readState, type Stores } from '../../../tools/console/state.ts';
import { createUploadTable, startDynamoDb, startSqs } from '../../support/emulators/emulators.ts';
import { newUpload, webhookBody } from '../../support/fakes/argyle-sender.ts';

const added = 'user_uploads.added';

let sqs: Awaited<ReturnType<typeof startSqs>>;
let dynamodb: Awaited<ReturnType<typeof startDynamoDb>>;
let stores: Stores & { readonly queue: Stores['queues'][number] & { readonly deadLetterUrl: string } };
beforeAll(async () => {
  [sqs, dynamodb] = [await startSqs(), await startDynamoDb()];
  const create = async (QueueName: string) =>
    (await sqs.client.send(new CreateQueueCommand({ QueueName }))).QueueUrl ?? '';
  const queue = { event: added, url: await create('added'), deadLetterUrl: await create('added-dead') };
  const tableName = await createUploadTable(dynamodb.client);
  stores = { sqs: sqs.client, dynamodb: dynamodb.client, tableName, queues: [queue], queue };
});
afterAll(async () => {
  await sqs.close();
  await dynamodb.close();
});

test('dead letters that a reader has received are counted, and redriven once its time-out has passed', async () => {
  const { queue, queues } = stores;
  const counts = async () => (await readQueues(stores))[0];
  for (const MessageBody of ['1', '2', '3'])
    await sqs.client.send(new SendMessageCommand({ QueueUrl: queue.deadLetterUrl, MessageBody }));
  await hold(queue.deadLetterUrl, 60);

  expect(await counts()).toMatchObject({ dead: 3, deadBeingRead: 1 });
  expect(await readState(stores)).toEqual({
    uploads: [],
    queues: [{ event: added, visible: 0, inFlight: 0, dead: 3 }],
  });
  const { signal } = new AbortController();
  expect(await redrive(sqs.client, queues, queue, signal)).toEqual({ moved: 2, left: 0, failed: 0, beingRead: 1 });

  await sqs.client.send(new SendMessageCommand({ QueueUrl: queue.deadLetterUrl, MessageBody: '4' }));
  await hold(queue.deadLetterUrl, 0);
  expect(await redrive(sqs.client, queues, queue, signal)).toEqual({ moved: 1, left: 0, failed: 0, beingRead: 1 });
  expect(await counts()).toMatchObject({ visible: 3, dead: 1 });
});

test('a release moves the messages that this release can process to the queues of their events, and leaves the others', async () => {
  const { QueueUrl: url = '' } = await sqs.client.send(new CreateQueueCommand({ QueueName: 'quarantine' }));
  const before = await readQueues(stores);
  for (const event of [added, 'accounts.added'])
    await sqs.client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: webhookBody(event, newUpload()) }));
  const quarantine = { event: 'quarantine', url };

  const result = await redrive(sqs.client, [...stores.queues, quarantine], quarantine, new AbortController().signal);

  expect(result).toEqual({ moved: 1, left: 1, failed: 0, beingRead: 0 });
  expect((await readQueues(stores))[0]?.visible).toBe((before[0]?.visible ?? 0) + 1);
});

// Receives one message as a reader does that keeps it for `VisibilityTimeout` seconds.
async function hold(QueueUrl: string, VisibilityTimeout: number): Promise<void> {
  await sqs.client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 1, VisibilityTimeout }));
}
