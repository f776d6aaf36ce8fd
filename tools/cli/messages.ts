import { DeleteMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { SingleBar } from 'cli-progress';
import type { EventType } from '../../functions/domain/events.ts';
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
import { type Move, moveMessages, redriveDestination, releaseDestination } from '../messages/move-messages.ts';
import { interruptSignal, type Report, tableOf } from './report.ts';
import type { Target } from './target.ts';

/** Reasons for which dead letters can be deleted. Not `failed_16_times`: a redrive may still apply such a message. */
export const discardableDead: readonly DeadReason[] = ['unreadable', 'wrong_event', 'older_than_30_days'];

/** Reasons for which quarantined messages can be deleted. Not `understood_by_now`: a release applies such a message. */
export const discardableQuarantined: readonly QuarantineReason[] = ['unknown_event', 'missing_ids', 'malformed'];

type MostOption = { readonly most: number };
type DiscardOptions = MostOption & { readonly yes?: boolean };
type MoveOptions = { readonly rate: number; readonly dryRun?: boolean; readonly yes?: boolean };

/** Prints the reasons and ids of an event's dead letters, which stay in their queue. */
export async function showDead(
  target: Target,
  report: Report,
  event: EventType,
  { most, bodies = false }: MostOption & { readonly bodies?: boolean },
): Promise<void> {
  const { sqs, url, reasonOf } = await deadLettersOf(target, event);
  const letters = (await peek(sqs, url, most)).map((message) => {
    const reading = envelopeReading(message);
    const { deliveryId = '-', receivedAt = '-' } = message.attributes;
    const userUpload = reading.kind === 'envelope' ? reading.envelope.userUpload : '-';
    return { reason: reasonOf(message), userUpload, deliveryId, receivedAt, ...(bodies && { body: message.body }) };
  });
  const groups = Object.groupBy(letters, ({ reason }) => reason);
  const reasons = Object.entries(groups).map(([reason, group = []]) => [reason, group.length] as const);
  const rows = letters.map((letter) => [letter.reason, letter.userUpload, letter.deliveryId, letter.receivedAt]);
  const text = [
    tableOf([['reason', 'count'], ...reasons]),
    tableOf([['reason', 'upload', 'delivery', 'received'], ...rows]),
    ...letters.flatMap(({ body = [] }) => body),
  ].join('\n\n');
  const data = { event, reasons: Object.fromEntries(reasons), letters };
  report.result(data, letters.length > 0 ? text : 'No dead letters.');
}

/** Prints the quarantined messages by reason and event, and returns whether there are none. */
export async function listQuarantine(target: Target, report: Report, { most }: MostOption): Promise<boolean> {
  const { sqs, url, reasonOf } = quarantineOf(target);
  const kinds = (await peek(sqs, url, most)).map((message) => [reasonOf(message), message.attributes.event ?? '-']);
  const groups = Object.values(Object.groupBy(kinds, (kind) => kind.join(' ')));
  const counts = groups.map(([[reason = '', event = ''] = [], ...rest] = []) => ({
    reason,
    event,
    count: 1 + rest.length,
  }));
  const rows = counts.map(({ reason, event, count }) => [reason, event, count]);
  const text = rows.length > 0 ? tableOf([['reason', 'event', 'count'], ...rows]) : 'The quarantine is empty.';
  report.result(counts, text);
  return counts.length === 0;
}

/** Deletes the dead letters of an event that have this reason. */
export async function discardDead(
  target: Target,
  report: Report,
  event: EventType,
  reason: string,
  options: DiscardOptions,
): Promise<void> {
  await discard(await deadLettersOf(target, event), report, reason, options);
}

/** Deletes the quarantined messages that have this reason. */
export async function discardQuarantine(
  target: Target,
  report: Report,
  reason: string,
  options: DiscardOptions,
): Promise<void> {
  await discard(quarantineOf(target), report, reason, options);
}

/** Moves an event's dead letters back to their queue. */
export async function redrive(target: Target, report: Report, event: EventType, options: MoveOptions): Promise<void> {
  await move(await deadLettersOf(target, event), report, options);
}

/** Moves the quarantined messages that this release can process to the queue of their event. */
export async function releaseQuarantine(target: Target, report: Report, options: MoveOptions): Promise<void> {
  await move(quarantineOf(target), report, options);
}

type WaitingQueue = {
  readonly sqs: SQSClient;
  readonly url: string;
  readonly name: string;
  readonly reasonOf: (message: WaitingMessage) => string;
  readonly destinationOf: Move['destinationOf'];
  /** What a move does. */
  readonly consequences: string;
};

async function deadLettersOf(target: Target, event: EventType): Promise<WaitingQueue> {
  const sqs = new SQSClient(target.clientOptions('SQS'));
  return {
    sqs,
    url: await findDeadLetterQueue(sqs, target.queueUrls[event]),
    name: `dead letters of ${event}`,
    reasonOf: (message) => deadReason(message, event, Date.now()),
    destinationOf: redriveDestination(target.queueUrls, event),
    consequences: 'are moved back to the queue of their event. A message that fails again becomes a dead letter again.',
  };
}

function quarantineOf(target: Target): WaitingQueue {
  return {
    sqs: new SQSClient(target.clientOptions('SQS')),
    url: target.quarantineQueueUrl,
    name: 'quarantined messages',
    reasonOf: quarantineReason,
    destinationOf: releaseDestination(target.queueUrls),
    consequences: 'are moved to the queue of their event if this release can process them. The others stay.',
  };
}

async function discard(
  { sqs, url, name, reasonOf }: WaitingQueue,
  report: Report,
  reason: string,
  { most, yes }: DiscardOptions,
): Promise<void> {
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

async function move(
  { sqs, url, name, destinationOf, consequences }: WaitingQueue,
  report: Report,
  { rate, dryRun, yes }: MoveOptions,
): Promise<void> {
  const { visible } = await countMessages(sqs, url);
  const text = `${visible} ${name} ${consequences} The rate is ${rate} per second.`;
  if (visible === 0) return report.result({ wouldMove: 0 }, 'There is nothing to move.');
  if (dryRun) return report.result({ wouldMove: visible }, `${text} This is a dry run: nothing was moved.`);
  if (!(await report.confirm(text, yes))) return report.result({ moved: 0 }, 'Nothing was moved.');

  const signal = interruptSignal();
  const bar = new SingleBar({ format: '{bar} {value} of {total} moved', stopOnComplete: true, noTTYOutput: false });
  bar.start(visible, 0);
  const onMoved = (count: number) => bar.update(count);
  // At most the messages of now: one that fails again during this move stays for the next one.
  const { moved, left } = await moveMessages(sqs, { from: url, destinationOf, max: visible, rate, onMoved, signal });
  bar.stop();
  const end = signal.aborted ? 'Interrupted: the rest stayed in its queue.' : `${left} stayed.`;
  report.result({ moved, left, interrupted: signal.aborted }, `${moved} moved. ${end}`);
}
