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
import {
  type FailureReason,
  permanentReasons,
  reconciliation,
  retryableReasons,
} from '../../functions/domain/queue-message.ts';

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

/** Which messages to receive. No further messages are received once `signal` aborts. */
export type Reading = { readonly max: number; readonly signal: AbortSignal };

/** The seconds for which a reader here keeps messages. Afterwards they become visible again, even if the reader has crashed. */
export const readerTimeoutSeconds = 120;

/** The maximum number of messages of one reading. SQS returns no further message of a queue that has 120,000 in flight. */
export const maxReading = 100_000;

/** The number of errors that ends a move or a deletion. A few messages may be refused; more errors have a common cause. */
export const maxErrors = 10;

/** Counts a queue's messages: those that can be received, and those that a consumer has received. */
export async function countMessages(
  sqs: SQSClient,
  queueUrl: string,
): Promise<{ readonly visible: number; readonly inFlight: number }> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
  const attributes = await readAttributes(sqs, queueUrl, names);
  return { visible: Number(attributes[names[0]]), inFlight: Number(attributes[names[1]]) };
}

/**
 * Counts a queue's messages like `countMessages`, but receives one before it returns that none is visible or that some are in
 * flight. Counts may be late on AWS, and the emulator notices only at a receive that a reader's time-out has passed.
 */
export async function countReceivable(sqs: SQSClient, queueUrl: string): ReturnType<typeof countMessages> {
  const before = await countMessages(sqs, queueUrl);
  if (before.visible > 0 && before.inFlight === 0) return before;
  const received = await peek(sqs, queueUrl, { max: 1, signal: new AbortController().signal });
  const { visible, inFlight } = await countMessages(sqs, queueUrl);
  return { visible: Math.max(before.visible, visible, received.length), inFlight };
}

/** Says how many messages another reader has received, and until when it may keep them. Returns an empty text for 0. */
export function beingReadText(inFlight: number, nowMs: number): string {
  if (inFlight === 0) return '';
  const until = new Date(nowMs + readerTimeoutSeconds * 1_000).toISOString();
  const messages = inFlight === 1 ? '1 message is' : `${inFlight} messages are`;
  return `${messages} being read by another reader, until ${until} at the latest if it is one of these commands. Repeat the command then.`;
}

/** Returns the URL of the dead-letter queue that a queue's redrive policy names. */
export async function findDeadLetterQueue(sqs: SQSClient, queueUrl: string): Promise<string> {
  const { RedrivePolicy = '{}' } = await readAttributes(sqs, queueUrl, ['RedrivePolicy']);
  const name = String(JSON.parse(RedrivePolicy).deadLetterTargetArn).split(':').at(-1) ?? '';
  return queueUrl.replace(/[^/]+$/, name);
}

/**
 * Receives up to `max` messages, each once, in batches of up to ten. They stay invisible to other readers for two minutes. A
 * message that is received again, after that time or because it failed again, is left out and made visible at the end. The reading
 * also ends when it has received twice as many messages as `max`.
 */
export async function* receiveBatches(
  sqs: SQSClient,
  queueUrl: string,
  { max, signal }: Reading,
): AsyncGenerator<readonly WaitingMessage[]> {
  const seen = new Set<string | undefined>();
  const repeated: WaitingMessage[] = [];
  try {
    while (seen.size < max && seen.size + repeated.length < 2 * max && !signal.aborted) {
      const batch = await receiveBatch(sqs, queueUrl, Math.min(10, max - seen.size));
      if (batch.length === 0) return;
      const isRepeated = ({ message }: WaitingMessage) => seen.has(message.MessageId);
      const unseen = batch.filter((waiting) => !isRepeated(waiting));
      repeated.push(...batch.filter(isRepeated));
      for (const { message } of unseen) seen.add(message.MessageId);
      yield unseen;
    }
  } finally {
    await makeVisible(sqs, queueUrl, repeated);
  }
}

/**
 * Reads up to `max` messages and leaves them in the queue. Throws when `signal` aborts. In any case, all messages are visible
 * again at the end.
 */
export async function peek(sqs: SQSClient, queueUrl: string, reading: Reading): Promise<readonly WaitingMessage[]> {
  const messages: WaitingMessage[] = [];
  try {
    for await (const batch of receiveBatches(sqs, queueUrl, reading)) messages.push(...batch);
  } finally {
    await makeVisible(sqs, queueUrl, messages);
  }
  if (reading.signal.aborted) throw new Error('Interrupted: all messages are back in their queue.');
  return messages;
}

/**
 * Makes received messages visible to other readers again. It does not throw: a message that SQS refuses to make visible becomes
 * visible after the reader's time-out.
 */
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
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queueUrl, Entries })).catch(() => undefined);
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

/** Reads the envelope in a message's body. It ignores all attributes except the encoding and the origin. */
export function envelopeReading({ body, attributes }: WaitingMessage) {
  const raw = decodeBody(body, attributes.encoding);
  return raw ? readEnvelope(raw, attributes.origin === reconciliation) : ({ kind: 'malformed' } as const);
}

// No signal aborts a receive in progress: the messages of its answer would stay invisible.
async function receiveBatch(sqs: SQSClient, QueueUrl: string, MaxNumberOfMessages: number): Promise<WaitingMessage[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages,
    MessageAttributeNames: ['All'],
    MessageSystemAttributeNames: ['DeadLetterQueueSourceArn'],
    VisibilityTimeout: readerTimeoutSeconds,
    WaitTimeSeconds: 1,
  });
  const { Messages = [] } = await sqs.send(command);
  return Messages.map(waitingMessage);
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
