import { setTimeout } from 'node:timers/promises';
import { DeleteMessageCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { EventType } from '../../functions/domain/events.ts';
import { readMessage } from '../../functions/domain/queue-message.ts';
import {
  envelopeReading,
  makeVisible,
  maxErrors,
  type Reading,
  receiveBatches,
  type WaitingMessage,
} from './dead-messages.ts';

/** What to move, where to, and how fast. Its `signal` ends the move after the message in progress. */
export type Move = Reading & {
  readonly from: string;
  /** Returns a message's destination, or undefined to leave it in its queue. */
  readonly destinationOf: (message: WaitingMessage) => Destination | undefined;
  /** Messages per second. */
  readonly rate: number;
  readonly onMoved: (moved: number) => void;
};

/** How many messages moved and how many stayed. `errors`: those of messages that stayed although they have a destination. */
export type MoveResult = { readonly moved: number; readonly left: number; readonly errors: readonly Error[] };

type Clock = { readonly nowMs: () => number; readonly sleep: (milliseconds: number) => Promise<unknown> };

/** The queue that a message moves to, and the attributes that it gets there. */
export type Destination = { readonly queueUrl: string; readonly attributes: Readonly<Record<string, string>> };

/**
 * Returns the destinations of an event's dead letters: the event's queue, without the reason that a worker wrote. A message of
 * another event goes to that event's queue, because this event's worker would reject it again.
 */
export function redriveDestination(
  queueUrls: Readonly<Record<EventType, string>>,
  from: EventType,
): Move['destinationOf'] {
  return ({ body, attributes: { reason: _, ...attributes } }) => {
    const reading = readMessage({ body, attributes });
    const event = reading.kind === 'message' ? reading.envelope.event : from;
    return { queueUrl: queueUrls[event], attributes: event === from ? attributes : { ...attributes, event } };
  };
}

/** Returns the destinations of quarantined messages: their event's queue if this release can process them. */
export function releaseDestination(queueUrls: Readonly<Record<EventType, string>>): Move['destinationOf'] {
  return (waiting) => {
    const reading = envelopeReading(waiting);
    if (reading.kind !== 'envelope') return undefined;
    const { event } = reading.envelope;
    return { queueUrl: queueUrls[event], attributes: { ...waiting.attributes, event } };
  };
}

/**
 * Moves messages and returns how many moved and how many stayed. It sends each message before it deletes it, so an
 * interruption loses nothing: a message that was sent but not deleted is sent again later, and workers are idempotent.
 * A message that cannot be moved affects no other; ten of them end the move. Messages that stay are visible again afterwards.
 * SQS's StartMessageMoveTask serves only dead-letter queues on AWS; this function also serves the quarantine and the local pipeline.
 */
export async function moveMessages(
  sqs: SQSClient,
  { from, destinationOf, max, rate, onMoved, signal }: Move,
  clock: Clock = { nowMs: Date.now, sleep: setTimeout },
): Promise<MoveResult> {
  const startedMs = clock.nowMs();
  const held = new Set<WaitingMessage>();
  const errors: Error[] = [];
  let moved = 0;
  const hasEnded = () => signal.aborted || errors.length >= maxErrors;
  const tryToMove = async (waiting: WaitingMessage) => {
    const destination = hasEnded() ? undefined : destinationOf(waiting);
    if (!destination) return;
    const dueMs = startedMs + ((moved + errors.length) * 1_000) / rate;
    await clock.sleep(Math.max(0, dueMs - clock.nowMs()));
    await sendThenDelete(sqs, from, waiting, destination);
    held.delete(waiting);
    moved += 1;
    onMoved(moved);
  };
  try {
    for await (const batch of receiveBatches(sqs, from, { max, signal })) {
      for (const waiting of batch) held.add(waiting);
      for (const waiting of batch) await tryToMove(waiting).catch((error: Error) => errors.push(error));
      if (hasEnded()) break;
    }
  } finally {
    await makeVisible(sqs, from, [...held]);
  }
  return { moved, left: held.size, errors };
}

async function sendThenDelete(
  sqs: SQSClient,
  from: string,
  { message, body }: WaitingMessage,
  { queueUrl, attributes }: Destination,
): Promise<void> {
  const MessageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
  );
  const command = new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body, MessageAttributes });
  const { MessageId } = await sqs.send(command);
  if (!MessageId) throw new Error('SQS returned no MessageId: it may not have stored the message.');
  await sqs.send(new DeleteMessageCommand({ QueueUrl: from, ReceiptHandle: message.ReceiptHandle }));
}
