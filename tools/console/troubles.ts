import { randomUUID } from 'node:crypto';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type EventType, eventTypes } from '../../functions/domain/events.ts';
import { postSigned, sampleBody } from '../messages/sample.ts';
import { sendSamples } from '../messages/send-samples.ts';
import type { ActionResult } from './page/view.ts';
import type { ConsoleQueue } from './state.ts';

/** Where troubles are made: the webhook's address with its secret, and the queues. */
export type Ground = {
  readonly sqs: SQSClient;
  readonly queues: readonly ConsoleQueue[];
  readonly webhookUrl: string;
  readonly webhookSecret: string;
};

type Trouble = (ground: Ground, event: EventType, upload: string) => Promise<ActionResult['answers']>;

const floodSize = 500;

/** What a sender can do to a receiver, by the name of the page's button; each gives how often each answer came. */
export const troubles: Readonly<Record<string, Trouble>> = {
  /** The same webhook three times. */
  duplicate: async (ground, event, upload) => {
    const answers: ActionResult['answers'][] = [];
    for (let times = 0; times < 3; times += 1) answers.push(await send(ground, event, upload, 1));
    return sumOf(answers);
  },
  /** Each event of one document, from the catalogue's last to its first. */
  disorder: async (ground, _, upload) => {
    const answers: ActionResult['answers'][] = [];
    for (const event of eventTypes.toReversed()) answers.push(await send(ground, event, upload, 1));
    return sumOf(answers);
  },
  /** Signed with another secret than ours. */
  forgery: (ground, event, upload) =>
    send({ ...ground, webhookSecret: `not ${ground.webhookSecret}` }, event, upload, 1),
  /** Signed, of an event that the catalogue does not have. */
  unknown: async ({ webhookUrl, webhookSecret }, event, upload) => {
    const body = sampleBody(event, upload).replace(event, 'user_uploads.unheard_of');
    const { code, status } = await postSigned(webhookUrl, webhookSecret, body);
    return { [`${code} ${status}`]: 1 };
  },
  /** A message that no worker can read, past ingest, which would have put it into quarantine. */
  poison: async ({ sqs, queues }, event) => {
    const attributes = { event, receivedAt: new Date().toISOString(), deliveryId: `poison-${randomUUID()}` };
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: queues.find((queue) => queue.event === event)?.url,
        MessageBody: JSON.stringify({ event, data: 'poison' }),
        MessageAttributes: Object.fromEntries(
          Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
        ),
      }),
    );
    return { 'put on the queue': 1 };
  },
  /** Five hundred webhooks as fast as they go, of all events, each for a document of its own. */
  flood: async (ground) => {
    const each = Math.ceil(floodSize / eventTypes.length);
    return sumOf(await Promise.all(eventTypes.map((event) => send(ground, event, undefined, each))));
  },
};

async function send(
  { webhookUrl: url, webhookSecret: secret }: Ground,
  event: EventType,
  upload: string | undefined,
  count: number,
): Promise<ActionResult['answers']> {
  return Object.fromEntries(await sendSamples({ event, count, upload, url, secret }));
}

function sumOf(answers: readonly ActionResult['answers'][]): ActionResult['answers'] {
  const sum: Record<string, number> = {};
  for (const [answer, times] of answers.flatMap(Object.entries<number>)) sum[answer] = (sum[answer] ?? 0) + times;
  return sum;
}
