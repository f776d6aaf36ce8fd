import { randomUUID } from 'node:crypto';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type EventType, eventTypes, isEventType } from '../../functions/domain/events.ts';
import type { ArgyleControl } from '../fake-argyle/control.ts';
import { countReceivable } from '../messages/dead-messages.ts';
import { moveMessages, redriveDestination, releaseDestination } from '../messages/move-messages.ts';
import { postSigned, sampleBody } from '../messages/sample.ts';
import { sendSamples } from '../messages/send-samples.ts';
import type { RedriveResult, ScenarioResult } from './page/api.ts';
import type { ConsoleQueue } from './state.ts';

export type ScenarioContext = {
  readonly sqs: SQSClient;
  readonly queues: readonly ConsoleQueue[];
  readonly webhookUrl: string;
  readonly webhookSecret: string;
};

type Answers = ScenarioResult['answers'];
type Scenario = (context: ScenarioContext, event: EventType, upload: string) => Promise<Answers>;
type ArgyleAction = (argyle: ArgyleControl, upload: string) => Promise<object>;

const floodSize = 200;

/** Failure scenarios by the name of the page's button. Each returns how often it received each answer. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  duplicate: (context, event, upload) => sendInOrder(context, [event, event, event], upload),
  disorder: (context, _, upload) => sendInOrder(context, eventTypes.toReversed(), upload),
  forgery: (context, event, upload) =>
    send({ ...context, webhookSecret: `not ${context.webhookSecret}` }, event, upload, 1),
  /** Signed, with an event that is not in the catalogue. */
  unknown: async ({ webhookUrl, webhookSecret }, event, upload) => {
    const body = sampleBody(event, upload).replace(event, 'user_uploads.unheard_of');
    const { code, status } = await postSigned(webhookUrl, webhookSecret, body);
    return { [`${code} ${status}`]: 1 };
  },
  /** Puts an unreadable message directly on the queue, because ingest would have sent it to quarantine. */
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
  /** Sends samples of all events concurrently, each for a new document. */
  flood: async (context) => {
    const each = Math.ceil(floodSize / eventTypes.length);
    return sumOf(await Promise.all(eventTypes.map((event) => send(context, event, undefined, each))));
  },
};

/** Actions of users and OCR at the fake Argyle, by the name of the page's button. */
export const argyleActions: Readonly<Record<string, ArgyleAction>> = {
  upload: (argyle) => argyle.uploadDocument(),
  success: (argyle, upload) => argyle.runOcr(upload, { result: 'success' }),
  failure: (argyle, upload) => argyle.runOcr(upload, { result: 'failure', error: 'The page is blurred.' }),
  authenticity: (argyle, upload) => argyle.runOcr(upload, { result: 'authenticity' }),
  remove: (argyle, upload) => argyle.removeUpload(upload),
  'remove-account': async (argyle, upload) => argyle.removeAccount((await argyle.readUpload(upload)).account),
};

/**
 * Moves an event's dead letters back to its queue or, for the quarantine, the messages that this release can process to the
 * queues of their events, like `npm run uploads`. Stops when all present messages were read or `signal` aborts. `beingRead`: how
 * many another reader has received.
 */
export async function redrive(
  sqs: SQSClient,
  queues: readonly ConsoleQueue[],
  { event, url, deadLetterUrl }: ConsoleQueue,
  signal: AbortSignal,
): Promise<RedriveResult> {
  const queueUrls = Object.fromEntries(queues.map((queue) => [queue.event, queue.url])) as Record<EventType, string>;
  const from = deadLetterUrl ?? url;
  const destinationOf = isEventType(event) ? redriveDestination(queueUrls, event) : releaseDestination(queueUrls);
  const { visible: max, inFlight: beingRead } = await countReceivable(sqs, from);
  const unlimited = { rate: Number.POSITIVE_INFINITY, onMoved: () => undefined };
  const { errors, ...result } = await moveMessages(sqs, { from, destinationOf, max, signal, ...unlimited });
  return { ...result, failed: errors.length, beingRead };
}

async function sendInOrder(context: ScenarioContext, events: readonly EventType[], upload: string): Promise<Answers> {
  const answers: Answers[] = [];
  for (const event of events) answers.push(await send(context, event, upload, 1));
  return sumOf(answers);
}

async function send(
  { webhookUrl: url, webhookSecret: secret }: ScenarioContext,
  event: EventType,
  upload: string | undefined,
  count: number,
): Promise<Answers> {
  return Object.fromEntries(await sendSamples({ event, count, upload, url, secret }));
}

function sumOf(answers: readonly Answers[]): Answers {
  const sum: Record<string, number> = {};
  for (const [answer, times] of answers.flatMap(Object.entries<number>)) sum[answer] = (sum[answer] ?? 0) + times;
  return sum;
}
