import { ChangeMessageVisibilityCommand, CreateQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { expect, inject, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { assume } from '../../../tools/capacity/assumptions.ts';
import { queueSetup } from '../../../tools/capacity/load.ts';
import { simulateQueue } from '../../../tools/capacity/simulation/queue.ts';
import { seededRandom } from '../../../tools/capacity/simulation/seeded-random.ts';
import { readStackFacts } from '../../../tools/capacity/stack-facts.ts';
import { runEventSource } from '../../../tools/local/event-source.ts';
import { readTemplate } from '../../../tools/local/template.ts';
import { startSqs } from '../../support/emulators/emulators.ts';
import { startWatchedPipeline, until } from '../../support/emulators/watched-pipeline.ts';
import { newUpload, webhookBody } from '../../support/fakes/argyle-sender.ts';

const [event = 'none'] = eventTypes;
const secret = 'secret-of-the-test';

// What the template says, with the one poller that the local pipeline has.
function setup() {
  const facts = readStackFacts(readTemplate(inject('assemblies').sandbox));
  const assumed = assume();
  return { ...queueSetup(facts, assumed, assumed.failFastMs), firstPollers: 1, maxConcurrency: 1 };
}

test('the local event source makes the batches that the simulation makes', async () => {
  const waiting = 94;
  const { batches } = simulateQueue(setup(), {
    // All but the first come while that one is worked on.
    arrivalsMs: [0, ...Array.from({ length: waiting }, () => 15)],
    isDown: () => false,
    random: seededRandom(1),
  });

  expect(await batchesOfLocalSource(waiting)).toEqual(batches);
});

test.each([
  { tries: 3, messages: 4, lastsSeconds: 25, dead: 0 },
  { tries: 16, messages: 2, lastsSeconds: Number.POSITIVE_INFINITY, dead: 2 },
])(
  'the local pipeline tries as often as the simulation in an outage of $lastsSeconds s',
  async ({ tries, messages, lastsSeconds, dead }) => {
    const simulated = simulateQueue(setup(), {
      arrivalsMs: Array.from({ length: messages }, (_, index) => index),
      isDown: (timeMs) => timeMs < lastsSeconds * 1_000,
      random: seededRandom(1),
    });
    const local = await outageOfLocalPipeline(messages, dead === 0 ? tries : Number.POSITIVE_INFINITY);

    expect([simulated.applied, simulated.dead]).toEqual([messages - dead, dead]);
    expect([local.applied, local.dead]).toEqual([messages - dead, dead]);
    expect(stepsOf(local.delaysSeconds)).toEqual(stepsOf(simulated.postponements.map((one) => one.delaySeconds)));
    expect(local.delaysSeconds).toHaveLength(tries * messages);
  },
);

// How many postponements there were of each step of the back-off. Up to a quarter is added to each by chance.
function stepsOf(delaysSeconds: readonly number[]): Readonly<Record<number, number>> {
  const steps = [...Array.from({ length: 10 }, (_, index) => 5 * 2 ** index), 3_600];
  return Object.fromEntries(
    steps.flatMap((step, index) => {
      const next = steps[index + 1] ?? Number.POSITIVE_INFINITY;
      const count = delaysSeconds.filter((seconds) => seconds >= step && seconds < next).length;
      return count > 0 ? [[step, count]] : [];
    }),
  );
}

async function batchesOfLocalSource(waiting: number): Promise<readonly number[]> {
  const { client: sqs, close } = await startSqs();
  const polling = new AbortController();
  try {
    const { QueueUrl: queueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'queue' }));
    const send = () => sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: 'message' }));
    const batches: number[] = [];
    const { promise: allSent, resolve: release } = Promise.withResolvers<void>();
    const invoke = async ({ Records }: SQSEvent) => {
      batches.push(Records.length);
      await allSent;
    };
    const { batchSize, windowMs } = setup();
    const mapping = { batchSize, windowSeconds: windowMs / 1_000, reportsPartialFailures: true, concurrency: 1 };
    const source = runEventSource({ sqs, queueUrl, queueArn: 'arn', ...mapping, invoke, signal: polling.signal });
    await send();
    await until(async () => batches.length === 1);
    for (let number = 0; number < waiting; number += 1) await send();
    release();
    await until(async () => batches.reduce((sum, records) => sum + records, 0) === waiting + 1);
    polling.abort();
    await source;
    return batches;
  } finally {
    polling.abort();
    await close();
  }
}

/** Lets each document fail so often, without the waits: the clock is as fast as the machine. */
async function outageOfLocalPipeline(messages: number, failures: number) {
  const delaysSeconds: number[] = [];
  const handles = new Set<string>();
  const tries = new Map<string, number>();
  const pipeline = await startWatchedPipeline(inject('assemblies').sandbox, secret, ({ action }, input) => {
    if (action === 'ChangeMessageVisibilityBatch')
      for (const { ReceiptHandle, VisibilityTimeout } of input.Entries as VisibilityEntry[]) {
        handles.add(ReceiptHandle);
        delaysSeconds.push(VisibilityTimeout);
      }
    if (action !== 'UpdateItem') return undefined;
    const { S: upload } = (input.Key as { userUpload: { S: string } }).userUpload;
    const attempts = (tries.get(upload) ?? 0) + 1;
    tries.set(upload, attempts);
    // The client tries twice each time.
    return attempts <= 2 * failures ? { kind: 'refuse', statusCode: 500, errorType: 'InternalServerError' } : undefined;
  });
  try {
    const uploads = Array.from({ length: messages }, newUpload);
    for (const ids of uploads) await pipeline.post(webhookBody(event, ids));
    const { url: QueueUrl } = pipeline.queueOf(event);
    const skipWaits = async () => {
      for (const ReceiptHandle of handles)
        await pipeline.sqs
          .send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }))
          .catch(() => undefined);
    };
    const state = async () => (await pipeline.queueStates()).find((queue) => queue.event === event);
    await until(async () => {
      await skipWaits();
      const queue = await state();
      return queue?.visible === 0 && queue.inFlight === 0;
    });
    const records = await Promise.all(uploads.map(({ userUpload }) => pipeline.readRecord(userUpload)));
    return { applied: records.filter((record) => record).length, dead: (await state())?.dead, delaysSeconds };
  } finally {
    await pipeline.stop();
  }
}

type VisibilityEntry = { readonly ReceiptHandle: string; readonly VisibilityTimeout: number };
