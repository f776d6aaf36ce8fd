import { setTimeout } from 'node:timers/promises';
import { DeleteMessageCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { EventType } from '../../functions/domain/events.ts';
import { readMessage } from '../../functions/domain/queue-message.ts';
import { envelopeReading, makeVisible, receiveBatches, type WaitingMessage } from './dead-messages.ts';

/** What to move, where to, and how fast. */
export type Move = {
  readonly from: string;
  /** Returns a message's destination, or undefined to leave it in its queue. */
  readonly destinationOf: (message: WaitingMessage) => Destination | undefined;
  readonly max: number;
  /** Messages per second. */
  readonly rate: number;
  readonly onMoved: (moved: number) => void;
  /** Ends the move after the message in progress. */
  readonly signal: AbortSignal;
};

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
 * Messages that stay are visible again afterwards. SQS's StartMessageMoveTask serves only dead-letter queues on AWS;
 * this function also serves the quarantine and the local pipeline.
 */
export async function moveMessages(
  sqs: SQSClient,
  { from, destinationOf, max, rate, onMoved, signal }: Move,
): Promise<{ readonly moved: number; readonly left: number }> {
  const startedMs = Date.now();
  const left: WaitingMessage[] = [];
  let moved = 0;
  for await (const batch of receiveBatches(sqs, from, max)) {
    for (const waiting of batch) {
      const destination = signal.aborted ? undefined : destinationOf(waiting);
      if (!destination) {
        left.push(waiting);
        continue;
      }
      await setTimeout(Math.max(0, startedMs + (moved * 1_000) / rate - Date.now()));
      await moveOne(sqs, from, waiting, destination);
      moved += 1;
      onMoved(moved);
    }
    if (signal.aborted) break;
  }
  await makeVisible(sqs, from, left);
  return { moved, left: left.length };
}

async function moveOne(
  sqs: SQSClient,
  from: string,
  { message, body }: WaitingMessage,
  { queueUrl, attributes }: Destination,
): Promise<void> {
  const MessageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
  );
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body, MessageAttributes }));
  await sqs.send(new DeleteMessageCommand({ QueueUrl: from, ReceiptHandle: message.ReceiptHandle }));
}
