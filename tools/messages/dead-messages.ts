import {
  ChangeMessageVisibilityBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  type QueueAttributeName,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { readEnvelope } from '../../functions/domain/envelope.ts';
import { decodeBody } from '../../functions/domain/message-body.ts';
import { type FailureReason, permanentReasons, retryableReasons } from '../../functions/domain/queue-message.ts';

/** A message in a queue that no function consumes: a dead-letter queue or the quarantine. */
export type WaitingMessage = {
  readonly message: Message;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
};

/**
 * Why a message is in an event's dead-letter queue: the reason that its worker wrote. `not_finished`: no worker finished with it, for
 * example because it crashed its worker for six hours, so SQS moved it.
 */
export type DeadReason = FailureReason | 'not_finished';

/** Why a message is in the quarantine; `understood_by_now`: this release can process it. */
export type QuarantineReason = 'unknown_event' | 'missing_ids' | 'malformed' | 'understood_by_now';

// Long enough to read all messages. Afterwards they become visible again, even if the reader has crashed.
const visibilityTimeoutSeconds = 120;

/** Counts a queue's messages: those that can be received, and those that a consumer has received. */
export async function countMessages(
  sqs: SQSClient,
  queueUrl: string,
): Promise<{ readonly visible: number; readonly inFlight: number }> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  const attributes = await readAttributes(sqs, queueUrl, names);
  return { visible: Number(attributes[names[0]]), inFlight: Number(attributes[names[1]]) };
}

/** Returns the URL of the dead-letter queue that a queue's redrive policy names. */
export async function findDeadLetterQueue(sqs: SQSClient, queueUrl: string): Promise<string> {
  const { RedrivePolicy = '{}' } = await readAttributes(sqs, queueUrl, ['RedrivePolicy']);
  const name = String(JSON.parse(RedrivePolicy).deadLetterTargetArn).split(':').at(-1) ?? '';
  return queueUrl.replace(/[^/]+$/, name);
}

/** Receives up to `max` messages, each once. They stay invisible to other consumers for two minutes. */
export async function* receiveBatches(sqs: SQSClient, queueUrl: string, max: number): AsyncGenerator<WaitingMessage[]> {
  for (let received = 0; received < max; ) {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: Math.min(10, max - received),
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['DeadLetterQueueSourceArn'],
      VisibilityTimeout: visibilityTimeoutSeconds,
      WaitTimeSeconds: 1,
    });
    const { Messages = [] } = await sqs.send(command);
    if (Messages.length === 0) return;
    received += Messages.length;
    yield Messages.map(waitingMessage);
  }
}

/** Receives up to `max` messages as one list. The caller deletes each message or makes it visible again. */
export async function receiveList(sqs: SQSClient, queueUrl: string, max: number): Promise<readonly WaitingMessage[]> {
  const messages: WaitingMessage[] = [];
  for await (const batch of receiveBatches(sqs, queueUrl, max)) messages.push(...batch);
  return messages;
}

/** Reads up to `max` messages and leaves them in the queue. */
export async function peek(sqs: SQSClient, queueUrl: string, max: number): Promise<readonly WaitingMessage[]> {
  const messages = await receiveList(sqs, queueUrl, max);
  await makeVisible(sqs, queueUrl, messages);
  return messages;
}

/** Makes received messages visible to other consumers again. */
export async function makeVisible(
  sqs: SQSClient,
  queueUrl: string,
  messages: readonly WaitingMessage[],
): Promise<void> {
  for (let start = 0; start < messages.length; start += 10) {
    const Entries = messages.slice(start, start + 10).map(({ message }, index) => ({
      Id: String(index),
      ReceiptHandle: message.ReceiptHandle ?? '',
      VisibilityTimeout: 0,
    }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
}

/** Returns the reason that a worker wrote into a dead letter, or `not_finished`. */
export function deadReason({ message, attributes }: WaitingMessage): DeadReason {
  // SQS moved it. A reason is then one of an earlier time: SQS's own redrive keeps the attributes of dead letters.
  if (message.Attributes?.DeadLetterQueueSourceArn) return 'not_finished';
  return [...permanentReasons, ...retryableReasons].find((reason) => reason === attributes.reason) ?? 'not_finished';
}

/** Returns why this release keeps a message in the quarantine. */
export function quarantineReason(message: WaitingMessage): QuarantineReason {
  const { kind } = envelopeReading(message);
  return kind === 'envelope' ? 'understood_by_now' : kind;
}

/** Reads the envelope in a message's body. It ignores all attributes except the encoding. */
export function envelopeReading({ body, attributes }: WaitingMessage) {
  const raw = decodeBody(body, attributes.encoding);
  return raw ? readEnvelope(raw) : ({ kind: 'malformed' } as const);
}

async function readAttributes(
  sqs: SQSClient,
  QueueUrl: string,
  AttributeNames: readonly QueueAttributeName[],
): Promise<Partial<Record<QueueAttributeName, string>>> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] });
  const { Attributes = {} } = await sqs.send(command).catch((cause: Error) => {
    // The SDK's error does not name the queue.
    throw new Error(`${QueueUrl.split('/').at(-1)}: ${cause.message}`, { cause });
  });
  return Attributes;
}

function waitingMessage(message: Message): WaitingMessage {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, { StringValue = '' }]) => [
    name,
    StringValue,
  ]);
  return { message, body: message.Body ?? '', attributes: Object.fromEntries(attributes) };
}
