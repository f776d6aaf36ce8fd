import {
  ChangeMessageVisibilityBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  type QueueAttributeName,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { readEnvelope } from '../../functions/domain/envelope.ts';
import type { EventType } from '../../functions/domain/events.ts';
import { decodeBody } from '../../functions/domain/message-body.ts';
import { readMessage } from '../../functions/domain/queue-message.ts';
import { isTooOldToCreate } from '../../functions/domain/upload-record.ts';

/** A message that nobody consumes, with what can be said of it without its body. */
export type WaitingMessage = {
  readonly message: Message;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
};

/** Why a message lies in an event's dead-letter queue, as far as it shows by itself. */
export type DeadReason = 'unreadable' | 'wrong_event' | 'older_than_30_days' | 'failed_16_times';

// Long enough to look at all; then they are put back at once, or come back by themselves.
const lookSeconds = 120;

/** The number of messages that a queue holds: those that can be received, and those that somebody has received. */
export async function countMessages(
  sqs: SQSClient,
  queueUrl: string,
): Promise<{ readonly visible: number; readonly inFlight: number }> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  const attributes = await readAttributes(sqs, queueUrl, names);
  return { visible: Number(attributes[names[0]]), inFlight: Number(attributes[names[1]]) };
}

/** The URL of the dead-letter queue that a queue's redrive policy names. */
export async function findDeadLetterQueue(sqs: SQSClient, queueUrl: string): Promise<string> {
  const { RedrivePolicy = '{}' } = await readAttributes(sqs, queueUrl, ['RedrivePolicy']);
  const name = String(JSON.parse(RedrivePolicy).deadLetterTargetArn).split(':').at(-1) ?? '';
  return queueUrl.replace(/[^/]+$/, name);
}

/** Receives up to `most` messages, each once; they stay hidden for two minutes. */
export async function* receiveAll(sqs: SQSClient, queueUrl: string, most: number): AsyncGenerator<WaitingMessage[]> {
  for (let received = 0; received < most; ) {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: Math.min(10, most - received),
      MessageAttributeNames: ['All'],
      VisibilityTimeout: lookSeconds,
      WaitTimeSeconds: 1,
    });
    const { Messages = [] } = await sqs.send(command);
    if (Messages.length === 0) return;
    received += Messages.length;
    yield Messages.map(waitingMessage);
  }
}

/** The same as one list. Who is done with them puts them back or deletes them. */
export async function receiveList(sqs: SQSClient, queueUrl: string, most: number): Promise<readonly WaitingMessage[]> {
  const messages: WaitingMessage[] = [];
  for await (const received of receiveAll(sqs, queueUrl, most)) messages.push(...received);
  return messages;
}

/** Looks at up to `most` messages, which stay where they are. */
export async function lookAt(sqs: SQSClient, queueUrl: string, most: number): Promise<readonly WaitingMessage[]> {
  const messages = await receiveList(sqs, queueUrl, most);
  await putBack(sqs, queueUrl, messages);
  return messages;
}

/** Makes messages that were only looked at visible again. */
export async function putBack(sqs: SQSClient, queueUrl: string, messages: readonly WaitingMessage[]): Promise<void> {
  for (let start = 0; start < messages.length; start += 10) {
    const Entries = messages.slice(start, start + 10).map(({ message }, index) => ({
      Id: String(index),
      ReceiptHandle: message.ReceiptHandle ?? '',
      VisibilityTimeout: 0,
    }));
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
}

/** Why the worker of an event gave a message up. */
export function deadReason({ body, attributes }: WaitingMessage, event: EventType, nowMs: number): DeadReason {
  const reading = readMessage({ body, attributes });
  if (reading.kind === 'unreadable') return 'unreadable';
  if (reading.envelope.event !== event) return 'wrong_event';
  return isTooOldToCreate(reading.receivedAt, nowMs) ? 'older_than_30_days' : 'failed_16_times';
}

/** Why a message lies in quarantine, or that this release understands it by now. */
export type QuarantineReason = 'unknown_event' | 'missing_ids' | 'malformed' | 'understood_by_now';

/** Why this release keeps a message in quarantine. */
export function quarantineReason(message: WaitingMessage): QuarantineReason {
  const { kind } = envelopeReading(message);
  return kind === 'envelope' ? 'understood_by_now' : kind;
}

/** What the body of a message says, whatever its attributes. */
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
    // AWS does not say which one.
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
