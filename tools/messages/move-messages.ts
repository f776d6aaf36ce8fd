import { setTimeout } from 'node:timers/promises';
import { DeleteMessageCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { EventType } from '../../functions/domain/events.ts';
import { readMessage } from '../../functions/domain/queue-message.ts';
import { envelopeReading, putBack, receiveAll, type WaitingMessage } from './dead-messages.ts';

/** What a move needs to know. */
export type Move = {
  readonly from: string;
  /** The URL of the queue that a message goes to, and its attributes there; undefined leaves it where it is. */
  readonly destinationOf: (message: WaitingMessage) => Destination | undefined;
  readonly most: number;
  /** Messages a second. */
  readonly rate: number;
  readonly onMoved: (moved: number) => void;
  /** Stops after the message that is under way. */
  readonly signal: AbortSignal;
};

export type Destination = { readonly queueUrl: string; readonly attributes: Readonly<Record<string, string>> };

/**
 * Where an event's dead letters go: back on its queue, as they are. One of another event goes on the queue of that one,
 * because here its worker would only give it up again.
 */
export function backOn(queueUrls: Readonly<Record<EventType, string>>, from: EventType): Move['destinationOf'] {
  return ({ body, attributes }) => {
    const reading = readMessage({ body, attributes });
    const event = reading.kind === 'message' ? reading.envelope.event : from;
    return { queueUrl: queueUrls[event], attributes: event === from ? attributes : { ...attributes, event } };
  };
}

/** Where quarantined messages go: what is understood by now on the queue of its event, the rest nowhere. */
export function onQueueOfEvent(queueUrls: Readonly<Record<EventType, string>>): Move['destinationOf'] {
  return (waiting) => {
    const reading = envelopeReading(waiting);
    if (reading.kind !== 'envelope') return undefined;
    const { event } = reading.envelope;
    return { queueUrl: queueUrls[event], attributes: { ...waiting.attributes, event } };
  };
}

/**
 * Moves messages from one queue to others: sends each first, then deletes it. Whenever it is interrupted nothing is
 * lost; a message that was sent and not deleted is moved again, and a repeat changes no record. Gives how many moved
 * and how many stayed, which can be received again at once. Not StartMessageMoveTask: it serves dead-letter queues on
 * AWS only, and this serves all alike.
 */
export async function moveMessages(
  sqs: SQSClient,
  move: Move,
): Promise<{ readonly moved: number; readonly left: number }> {
  const { moved, left } = await moveReceived(sqs, move);
  await putBack(sqs, move.from, left);
  return { moved, left: left.length };
}

async function moveReceived(
  sqs: SQSClient,
  move: Move,
): Promise<{ readonly moved: number; readonly left: readonly WaitingMessage[] }> {
  const startedMs = Date.now();
  const left: WaitingMessage[] = [];
  let moved = 0;
  for await (const messages of receiveAll(sqs, move.from, move.most)) {
    for (const [index, waiting] of messages.entries()) {
      if (move.signal.aborted) return { moved, left: [...left, ...messages.slice(index)] };
      const destination = move.destinationOf(waiting);
      if (!destination) {
        left.push(waiting);
        continue;
      }
      await setTimeout(Math.max(0, startedMs + (moved * 1_000) / move.rate - Date.now()));
      await moveOne(sqs, move.from, waiting, destination);
      moved += 1;
      move.onMoved(moved);
    }
  }
  return { moved, left };
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
