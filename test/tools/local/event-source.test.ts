import { CreateQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import { runEventSource } from '../../../tools/local/event-source.ts';
import { startSqs } from '../../support/emulators/emulators.ts';
import { until } from '../../support/emulators/local-pipeline.ts';

test('passes on a single message at once, and full batches when messages wait', async () => {
  const { client: sqs, close } = await startSqs();
  const { QueueUrl: queueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'queue' }));
  const send = () => sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: 'message' }));
  const batches: number[] = [];
  const { promise: allSent, resolve: release } = Promise.withResolvers<void>();
  const polling = new AbortController();
  const source = runEventSource({
    ...{ sqs, queueUrl, queueArn: 'arn', reportsPartialFailures: true, concurrency: 1, signal: polling.signal },
    ...{ batchSize: 10, windowSeconds: 0 },
    invoke: async ({ Records }) => {
      batches.push(Records.length);
      await allSent;
    },
  });
  await send();
  await until(async () => batches.length === 1);
  await Promise.all(Array.from({ length: 24 }, send));
  release();
  await until(async () => batches.reduce((sum, records) => sum + records, 0) === 25);
  polling.abort();
  await source;
  await close();

  expect(batches).toEqual([1, 10, 10, 4]);
});
