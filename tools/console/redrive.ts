import type { SQSClient } from '@aws-sdk/client-sqs';
import { type EventType, isEventType } from '../../functions/domain/events.ts';
import { countMessages } from '../messages/dead-messages.ts';
import { type Move, moveMessages, redriveDestination, releaseDestination } from '../messages/move-messages.ts';
import type { ConsoleQueue } from './state.ts';

/**
 * Puts an event's dead letters back on its queue, or of the quarantine what is understood by now, as `npx uploads` does:
 * at once, until all that were there have moved or `signal` aborts.
 */
export async function redrive(
  sqs: SQSClient,
  queues: readonly ConsoleQueue[],
  { event, url, deadLetterUrl }: ConsoleQueue,
  signal: AbortSignal,
): Promise<{ readonly moved: number; readonly left: number }> {
  const queueUrls = Object.fromEntries(queues.map((queue) => [queue.event, queue.url])) as Record<EventType, string>;
  const [from, destinationOf]: [string, Move['destinationOf']] =
    deadLetterUrl && isEventType(event)
      ? [deadLetterUrl, redriveDestination(queueUrls, event)]
      : [url, releaseDestination(queueUrls)];
  const { visible: max } = await countMessages(sqs, from);
  const move = { from, destinationOf, max, rate: Number.POSITIVE_INFINITY, onMoved: () => undefined, signal };
  return moveMessages(sqs, move);
}
