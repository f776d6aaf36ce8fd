import { DeleteMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { SingleBar } from 'cli-progress';
import type { EventType } from '../../functions/domain/events.ts';
import { permanentReasons } from '../../functions/domain/queue-message.ts';
import {
  countMessages,
  type DeadReason,
  deadReason,
  envelopeReading,
  findDeadLetterQueue,
  makeVisible,
  peek,
  type QuarantineReason,
  quarantineReason,
  receiveList,
  type WaitingMessage,
} from '../messages/dead-messages.ts';
import { moveMessages, redriveDestination, releaseDestination } from '../messages/move-messages.ts';
import { interruptSignal, type Report, tableOf } from './report.ts';
import type { Target } from './target.ts';

/** Reasons for which dead letters can be deleted. A retry may apply messages with other reasons. */
export const discardableDead: readonly DeadReason[] = permanentReasons;

/** Reasons for which quarantined messages can be deleted. Not `understood_by_now`: a release applies such a message. */
export const discardableQuarantined: readonly QuarantineReason[] = ['unknown_event', 'missing_ids', 'malformed'];

type MaxMessagesOption = { readonly most: number };
export type DiscardOptions = MaxMessagesOption & { readonly yes?: boolean };
export type MoveOptions = { readonly rate: number; readonly dryRun?: boolean; readonly yes?: boolean };

/** Prints the reasons and ids of an event's dead letters, which stay in their queue. */
export async function showDead(
  target: Target,
  report: Report,
  event: EventType,
  { most, bodies = false }: MaxMessagesOption & { readonly bodies?: boolean },
): Promise<void> {
  const { sqs, url, reasonOf } = await waitingQueue(target, event);
  const letters = (await peek(sqs, url, most)).map((message) => {
    const reading = envelopeReading(message);
    const { deliveryId = '-', receivedAt = '-' } = message.attributes;
    const userUpload = reading.kind === 'envelope' ? reading.envelope.userUpload : '-';
    return { reason: reasonOf(message), userUpload, deliveryId, receivedAt, ...(bodies && { body: message.body }) };
  });
  const groups = Object.groupBy(letters, ({ reason }) => reason);
  const counts = Object.entries(groups).map(([reason, group = []]) => ({ reason, count: group.length }));
  const columns = { reason: 'reason', userUpload: 'upload', deliveryId: 'delivery', receivedAt: 'received' };
  const text = [
    tableOf({ reason: 'reason', count: 'count' }, counts),
    tableOf(columns, letters),
    ...letters.flatMap(({ body = [] }) => body),
  ].join('\n\n');
  const reasons = Object.fromEntries(counts.map(({ reason, count }) => [reason, count]));
  report.result({ event, reasons, letters }, letters.length > 0 ? text : 'No dead letters.');
  remarkIfCut(report, letters.length, most);
}

/** Prints the quarantined messages by reason and event, and returns whether there are none. */
export async function listQuarantine(target: Target, report: Report, { most }: MaxMessagesOption): Promise<boolean> {
  const { sqs, url, reasonOf } = await waitingQueue(target, undefined);
  const kinds = (await peek(sqs, url, most)).map((message) => ({
    reason: reasonOf(message),
    event: message.attributes.event ?? '-',
  }));
  const groups = Object.values(Object.groupBy(kinds, ({ reason, event }) => `${reason} ${event}`));
  const counts = groups.map((group = []) => ({ ...group[0], count: group.length }));
  const columns = { reason: 'reason', event: 'event', count: 'count' };
  const text = counts.length > 0 ? tableOf(columns, counts) : 'The quarantine is empty.';
  report.result(counts, text);
  remarkIfCut(report, kinds.length, most);
  return counts.length === 0;
}

/** Deletes the waiting messages of one reason. Without an event they are those of the quarantine. */
export async function discard(
  target: Target,
  report: Report,
  event: EventType | undefined,
  reason: string,
  { most, yes }: DiscardOptions,
): Promise<void> {
  const { sqs, url, name, reasonOf } = await waitingQueue(target, event);
  const messages = await receiveList(sqs, url, most);
  const chosen = messages.filter((message) => reasonOf(message) === reason);
  let deleted: readonly WaitingMessage[] = [];
  try {
    const consequences = `${chosen.length} ${name} with the reason ${reason} are deleted permanently.`;
    if (chosen.length > 0 && (await report.confirm(consequences, yes))) deleted = chosen;
    for (const { message } of deleted)
      await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message.ReceiptHandle }));
  } finally {
    const kept = messages.filter((message) => !deleted.includes(message));
    await makeVisible(sqs, url, kept);
  }
  const left = messages.length - deleted.length;
  report.result({ discarded: deleted.length, left }, `${deleted.length} deleted. ${left} stayed.`);
}

/** Moves dead letters back to their queue or, without an event, quarantined messages to the queue of their event. */
export async function move(
  target: Target,
  report: Report,
  event: EventType | undefined,
  { rate, dryRun, yes }: MoveOptions,
): Promise<void> {
  const { sqs, url, name, destinationOf, consequences } = await waitingQueue(target, event);
  const { visible } = await countMessages(sqs, url);
  const text = `${visible} ${name} ${consequences} The rate is ${rate} per second.`;
  if (visible === 0) return report.result({ wouldMove: 0 }, 'There is nothing to move.');
  if (dryRun) return report.result({ wouldMove: visible }, `${text} This is a dry run: nothing was moved.`);
  if (!(await report.confirm(text, yes))) return report.result({ moved: 0 }, 'Nothing was moved.');

  const signal = interruptSignal();
  const bar = new SingleBar({ format: '{bar} {value} of {total} moved', stopOnComplete: true, noTTYOutput: false });
  bar.start(visible, 0);
  const onMoved = (count: number) => bar.update(count);
  // Moves at most the number of messages that are present now: one that fails again during this move is left for the next move.
  const { moved, left } = await moveMessages(sqs, { from: url, destinationOf, max: visible, rate, onMoved, signal });
  bar.stop();
  const end = signal.aborted ? 'Interrupted: the rest stayed in its queue.' : `${left} stayed.`;
  report.result({ moved, left, interrupted: signal.aborted }, `${moved} moved. ${end}`);
}

async function waitingQueue(target: Target, event: EventType | undefined) {
  const sqs = new SQSClient(target.clientOptions('SQS'));
  if (!event)
    return {
      sqs,
      url: target.quarantineQueueUrl,
      name: 'quarantined messages',
      reasonOf: quarantineReason,
      destinationOf: releaseDestination(target.queueUrls),
      consequences: 'are moved to the queue of their event if this release can process them. The others stay.',
    };
  return {
    sqs,
    url: await findDeadLetterQueue(sqs, target.queueUrls[event]),
    name: `dead letters of ${event}`,
    reasonOf: deadReason,
    destinationOf: redriveDestination(target.queueUrls, event),
    consequences: 'are moved back to the queue of their event. A message that fails again becomes a dead letter again.',
  };
}

function remarkIfCut(report: Report, read: number, most: number): void {
  if (read >= most) report.remark(`Only the first ${most} messages were read: use --most for more.`);
}
