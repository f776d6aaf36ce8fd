import { SQSClient } from '@aws-sdk/client-sqs';
import type { EventType } from '../../functions/domain/events.ts';
import {
  countMessages,
  deadReason,
  envelopeReading,
  findDeadLetterQueue,
  lookAt,
  type WaitingMessage,
} from '../messages/dead-messages.ts';
import { type Report, tableOf } from './report.ts';
import type { Target } from './target.ts';

/** Prints how many dead letters each event has; gives whether there are any. */
export async function listDead(target: Target, report: Report): Promise<boolean> {
  const sqs = new SQSClient(target.clientOptions('SQS'));
  const counts = await Promise.all(
    Object.entries(target.queueUrls).map(async ([event, url]) => ({
      event,
      dead: (await countMessages(sqs, await findDeadLetterQueue(sqs, url))).visible,
    })),
  );
  report.result(counts, tableOf([['event', 'dead'], ...counts.map(({ event, dead }) => [event, dead])]));
  return counts.some(({ dead }) => dead > 0);
}

/** What `dead show` is told: how many messages to look at, and whether to show their bodies. */
export type DeadOptions = { readonly most: number; readonly withBodies: boolean };

/** Prints why an event's dead letters are there, by reason, and their ids. The messages stay where they are. */
export async function showDead(target: Target, event: EventType, options: DeadOptions, report: Report): Promise<void> {
  const sqs = new SQSClient(target.clientOptions('SQS'));
  const queueUrl = await findDeadLetterQueue(sqs, target.queueUrls[event]);
  const messages = await lookAt(sqs, queueUrl, options.most);

  const letters = messages.map((message) => describe(message, event, options.withBodies));
  const reasons = Object.entries(Object.groupBy(letters, ({ reason }) => reason)).map(([reason, of = []]) => [
    reason,
    of.length,
  ]);
  const rows = letters.map(({ reason, userUpload, deliveryId, receivedAt }) => [
    reason,
    userUpload,
    deliveryId,
    receivedAt,
  ]);
  const text = [
    tableOf([['reason', 'count'], ...reasons]),
    '',
    tableOf([['reason', 'upload', 'delivery', 'received'], ...rows]),
    ...(options.withBodies ? letters.map(({ body }) => `\n${body}`) : []),
  ];
  report.result(
    { event, reasons: Object.fromEntries(reasons), letters },
    letters.length > 0 ? text.join('\n') : 'No dead letters.',
  );
}

function describe(message: WaitingMessage, event: EventType, withBodies: boolean) {
  const reading = envelopeReading(message);
  const { deliveryId = '-', receivedAt = '-' } = message.attributes;
  return {
    reason: deadReason(message, event, Date.now()),
    userUpload: reading.kind === 'envelope' ? reading.envelope.userUpload : '-',
    deliveryId,
    receivedAt,
    ...(withBodies && { body: message.body }),
  };
}
