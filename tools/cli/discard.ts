import { DeleteMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { EventType } from '../../functions/domain/events.ts';
import {
  type DeadReason,
  deadReason,
  findDeadLetterQueue,
  putBack,
  type QuarantineReason,
  quarantineReason,
  receiveList,
  type WaitingMessage,
} from '../messages/dead-messages.ts';
import { confirm } from './confirm.ts';
import type { Report } from './report.ts';
import type { Target } from './target.ts';

/** Why a dead letter may be deleted. Not one that failed 16 times: it may be applied yet. */
export const deadReasons = ['unreadable', 'wrong_event', 'older_than_30_days'] as const satisfies readonly DeadReason[];

/** Why a quarantined message may be deleted. Not one that is understood by now: it is to be released. */
export const quarantineReasons = [
  'unknown_event',
  'missing_ids',
  'malformed',
] as const satisfies readonly QuarantineReason[];

/** What a command that deletes messages is told; `most`: how many to look at. */
export type DiscardOptions = { readonly most: number; readonly isSure: boolean };

/** Deletes an event's dead letters that are there for this reason, and no others. */
export async function discardDead(
  target: Target,
  { event, reason }: { readonly event: EventType; readonly reason: (typeof deadReasons)[number] },
  options: DiscardOptions,
  report: Report,
): Promise<void> {
  const sqs = new SQSClient(target.clientOptions('SQS'));
  const queueUrl = await findDeadLetterQueue(sqs, target.queueUrls[event]);
  const isMeant = (message: WaitingMessage) => deadReason(message, event, Date.now()) === reason;
  await discard(sqs, { queueUrl, isMeant, what: `dead letters of ${event} that are ${reason}` }, options, report);
}

/** Deletes what is in quarantine for this reason, and nothing else. */
export async function discardQuarantine(
  target: Target,
  reason: (typeof quarantineReasons)[number],
  options: DiscardOptions,
  report: Report,
): Promise<void> {
  const sqs = new SQSClient(target.clientOptions('SQS'));
  const isMeant = (message: WaitingMessage) => quarantineReason(message) === reason;
  const what = `quarantined messages that are ${reason}`;
  await discard(sqs, { queueUrl: target.quarantineQueueUrl, isMeant, what }, options, report);
}

type Choice = {
  readonly queueUrl: string;
  readonly what: string;
  readonly isMeant: (message: WaitingMessage) => boolean;
};

async function discard(
  sqs: SQSClient,
  { queueUrl, what, isMeant }: Choice,
  { most, isSure }: DiscardOptions,
  report: Report,
): Promise<void> {
  const messages = await receiveList(sqs, queueUrl, most);
  const meant = messages.filter(isMeant);
  let gone: readonly WaitingMessage[] = [];
  try {
    if (meant.length > 0 && (await confirm(`${meant.length} ${what} are deleted for good.`, isSure))) gone = meant;
    for (const { message } of gone)
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }));
  } finally {
    await putBack(
      sqs,
      queueUrl,
      messages.filter((message) => !gone.includes(message)),
    );
  }
  const left = messages.length - gone.length;
  report.result({ discarded: gone.length, left }, `${gone.length} deleted. ${left} stayed.`);
}
