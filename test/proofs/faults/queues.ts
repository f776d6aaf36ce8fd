import { setTimeout as wait } from 'node:timers/promises';
import { ReceiveMessageCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { eventTypes } from '../../../functions/domain/events.ts';
import type { WatchedPipeline } from '../../support/emulators/watched-pipeline.ts';
import type { Delivery } from './lives.ts';

// Messages of a killed worker come back after the queue's time-out: 180 s deployed, scaled here.
const visibilitySeconds = '10';
const poisonPerQueue = 3;
const fewMessages = 1_000;

/** Shortens what a dead worker costs, and puts poison on every queue. */
export async function prepareQueues(pipeline: WatchedPipeline): Promise<void> {
  const Attributes = { VisibilityTimeout: visibilitySeconds };
  for (const event of eventTypes) {
    await pipeline.sqs.send(new SetQueueAttributesCommand({ QueueUrl: pipeline.queueOf(event).url, Attributes }));
    for (let index = 0; index < poisonPerQueue; index += 1) {
      const receivedAt = new Date().toISOString();
      await pipeline.putOnQueue(event, `poison ${index}`, { event, receivedAt, deliveryId: 'poison' });
    }
  }
}

/** Resolves when few messages are left. Trouble ends with the last delivery: what waited until then would meet none. */
export async function queuesAreShort(pipeline: WatchedPipeline): Promise<void> {
  for (;;) {
    const counts = await Promise.all(eventTypes.map(pipeline.countMessages));
    if (counts.reduce((sum, count) => sum + count, 0) < fewMessages) return;
    await wait(200);
  }
}

/** What is wrong with the dead-letter queues, which hold the poison alone, and with the quarantine, which holds all unknown events. */
export async function wrongInQueues(
  pipeline: WatchedPipeline,
  deliveries: readonly Delivery[],
): Promise<readonly string[]> {
  const states = (await pipeline.queueStates()).filter(({ event }) => event !== 'quarantine');
  const quarantined = await bodiesOf(pipeline, pipeline.queueOf('quarantine').url);
  return [
    ...states
      .filter(({ dead }) => dead !== poisonPerQueue)
      .map(({ event, dead }) => `${event}: ${dead} dead letters, expected ${poisonPerQueue}`),
    ...deliveries
      .filter(({ event, acknowledgedMs }) => event === 'unknown' && acknowledgedMs !== undefined)
      .filter(({ body }) => !quarantined.has(body))
      .map(({ ids }) => `lost: the unknown event of ${ids.userUpload} is not in the quarantine`),
  ];
}

async function bodiesOf({ sqs }: WatchedPipeline, QueueUrl: string): Promise<ReadonlySet<string>> {
  const bodies = new Set<string>();
  for (;;) {
    const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 3_600 });
    const { Messages = [] } = await sqs.send(command);
    if (Messages.length === 0) return bodies;
    for (const { Body = '' } of Messages) bodies.add(Body);
  }
}
