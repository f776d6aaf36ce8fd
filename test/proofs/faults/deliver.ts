import { setTimeout as wait } from 'node:timers/promises';
import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { eventTypes } from '../../../functions/domain/events.ts';
import { isRetried } from '../../../tools/fake-argyle/webhook-request.ts';
import type { WatchedPipeline } from '../../support/emulators/watched-pipeline.ts';
import { newUpload, sign, webhookBody } from '../../support/fakes/argyle-sender.ts';
import type { Connected } from '../connected-pipeline.ts';
import type { Delivery, Step } from './histories.ts';

/** Bodies of the poison messages that `prepareQueues` sends to each queue. */
export const poison: readonly string[] = ['poison 0', 'poison 1', 'poison 2'];

// The sender's number of connections.
const concurrency = 16;
// Argyle's own time-out (two third-party sources).
const answerTimeoutMs = 10_000;
// Messages of a killed worker become visible again after this time; 180 s when deployed.
const visibilitySeconds = '10';
const deliveriesBetweenChecks = 100;
const maxQueuedMessages = 1_000;
// Each one may make ingest read its secret again.
const deliveriesBetweenForgeries = 20;

/** Shortens the visibility time-out of every queue, and sends poison to it. */
export async function prepareQueues(pipeline: WatchedPipeline): Promise<void> {
  const Attributes = { VisibilityTimeout: visibilitySeconds };
  for (const event of eventTypes) {
    await pipeline.sqs.send(new SetQueueAttributesCommand({ QueueUrl: pipeline.queueOf(event).url, Attributes }));
    for (const body of poison) {
      const receivedAt = new Date().toISOString();
      await pipeline.putOnQueue(event, body, { event, receivedAt, deliveryId: 'poison' });
    }
  }
}

/** Takes the steps in order: causes the events at the fake Argyle, and sends each webhook with one retry, as Argyle does. */
export async function deliver(connected: Connected, steps: readonly Step[], retryDelayMs: number): Promise<void> {
  const retries: Promise<unknown>[] = [];
  const due = dueDeliveries(connected, steps);
  const sendDue = async () => {
    for await (const delivery of due) {
      delivery.firstSentMs = Date.now();
      if (await needsRetry(connected, delivery))
        retries.push(wait(retryDelayMs).then(() => needsRetry(connected, delivery)));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, sendDue));
  await Promise.all(retries);
}

async function* dueDeliveries({ pipeline, argyle }: Connected, steps: readonly Step[]): AsyncGenerator<Delivery> {
  let sent = 0;
  for (const step of steps) {
    if ('uploadEvent' in step) {
      const { isRemoved, upload } = await step.uploadEvent.cause(argyle);
      if (!isRemoved) step.uploadEvent.upload = upload;
    } else {
      yield step.delivery;
      sent += 1;
      if (sent % deliveriesBetweenForgeries === 0) await sendForgery(pipeline);
      if (sent % deliveriesBetweenChecks === 0) await untilQueuesAreShort(pipeline);
    }
  }
}

// It names a document that has no history, so `verifyRecords` reports a record of it. It must be refused even while the
// secret cannot be read.
async function sendForgery({ post }: WatchedPipeline): Promise<void> {
  const body = webhookBody('user_uploads.added', newUpload());
  const signature = await sign(body, 'another secret');
  const answer = await Promise.race([
    post(body, { 'X-Argyle-Signature': signature }).catch(() => undefined),
    wait(answerTimeoutMs, undefined, { ref: false }),
  ]);
  if (answer?.code === 200) throw new Error('A delivery with a wrong signature was accepted.');
}

// The faults end with the last delivery: messages that are still in a queue then would not be affected by any.
async function untilQueuesAreShort(pipeline: WatchedPipeline): Promise<void> {
  for (;;) {
    const counts = await Promise.all(eventTypes.map(pipeline.countMessages));
    if (counts.reduce((sum, count) => sum + count, 0) < maxQueuedMessages) return;
    await wait(200);
  }
}

async function needsRetry({ pipeline }: Connected, delivery: Delivery): Promise<boolean> {
  // As if the network between Argyle and us were down.
  if (delivery.isLost) return true;
  const answer = await Promise.race([
    pipeline.post(delivery.body).catch(() => undefined),
    wait(answerTimeoutMs, undefined, { ref: false }),
  ]);
  if (answer?.code === 200) delivery.acknowledgedMs = Date.now();
  return answer === undefined || isRetried(answer.code);
}
