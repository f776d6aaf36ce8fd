import { SQSClient } from '@aws-sdk/client-sqs';
import { SingleBar } from 'cli-progress';
import type { EventType } from '../../functions/domain/events.ts';
import { permanentReasons } from '../../functions/domain/queue-message.ts';
import {
  beingReadText,
  countReceivable,
  type DeadReason,
  deadReason,
  envelopeReading,
  findDeadLetterQueue,
  maxReading,
  peek,
  type QuarantineReason,
  quarantineReason,
  type WaitingMessage,
} from '../messages/dead-messages.ts';
import { discardMessages } from '../messages/discard-messages.ts';
import {
  type Move,
  type MoveResult,
  moveMessages,
  redriveDestination,
  releaseDestination,
} from '../messages/move-messages.ts';
import { interruptible, type Report, tableOf } from './report.ts';
import type { Target } from './target.ts';

/** Reasons for which dead letters can be deleted. A retry may apply messages with other reasons. */
export const discardableDead: readonly DeadReason[] = permanentReasons;

/** Reasons for which quarantined messages can be deleted. Not `understood_by_now`: a release applies such a message. */
export const discardableQuarantined: readonly QuarantineReason[] = ['unknown_event', 'missing_ids', 'malformed'];

type MaxMessagesOption = { readonly most: number };
export type DiscardOptions = MaxMessagesOption & { readonly yes?: boolean };
export type MoveOptions = { readonly rate: number; readonly dryRun?: boolean; readonly yes?: boolean };

const nothingDiscarded = { discarded: 0, notReceived: 0, errors: [], interrupted: false } as const;

/** Prints the reasons and ids of an event's dead letters, which stay in their queue. */
export async function showDead(
  target: Target,
  report: Report,
  event: EventType,
  { most, bodies = false }: MaxMessagesOption & { readonly bodies?: boolean },
): Promise<void> {
  const { messages, reasons, beingRead, remark } = await readWaiting(target, event, most);
  const letters = messages.map((message, index) => {
    const reading = envelopeReading(message);
    const { deliveryId = '-', receivedAt = '-' } = message.attributes;
    const userUpload = reading.kind === 'envelope' ? reading.envelope.userUpload : '-';
    return { reason: reasons[index] ?? '-', userUpload, deliveryId, receivedAt, ...(bodies && { body: message.body }) };
  });
  const groups = Object.groupBy(letters, ({ reason }) => reason);
  const counts = Object.entries(groups).map(([reason, group = []]) => ({ reason, count: group.length }));
  const columns = { reason: 'reason', userUpload: 'upload', deliveryId: 'delivery', receivedAt: 'received' };
  const text = [
    tableOf({ reason: 'reason', count: 'count' }, counts),
    tableOf(columns, letters),
    ...letters.flatMap(({ body = [] }) => body),
    ...(remark ? [remark] : []),
  ].join('\n\n');
  const countOf = Object.fromEntries(counts.map(({ reason, count }) => [reason, count]));
  const none = remark || 'No dead letters.';
  report.result({ event, reasons: countOf, letters, beingRead }, letters.length > 0 ? text : none);
  remarkIfCut(report, letters.length, most);
}

/** Prints the quarantined messages by reason and event, and returns whether there are none. */
export async function listQuarantine(target: Target, report: Report, { most }: MaxMessagesOption): Promise<boolean> {
  const { messages, reasons, beingRead, remark } = await readWaiting(target, undefined, most);
  const kinds = messages.map(({ attributes }, index) => ({ reason: reasons[index], event: attributes.event ?? '-' }));
  const groups = Object.values(Object.groupBy(kinds, ({ reason, event }) => `${reason} ${event}`));
  const counts = groups.map((group = []) => ({ ...group[0], count: group.length }));
  const columns = { reason: 'reason', event: 'event', count: 'count' };
  const text = counts.length > 0 ? tableOf(columns, counts) : 'No quarantined message can be read.';
  const isEmpty = counts.length === 0 && beingRead === 0;
  report.result(counts, isEmpty ? 'The quarantine is empty.' : [text, remark].join('\n').trimEnd());
  remarkIfCut(report, kinds.length, most);
  return isEmpty;
}

/**
 * Deletes the waiting messages of one reason, and returns whether SQS refused no deletion. Without an event they are those of the
 * quarantine. No message is invisible while the user is asked, so the answer may take any time.
 */
export async function discard(
  target: Target,
  report: Report,
  event: EventType | undefined,
  reason: string,
  { most, yes }: DiscardOptions,
): Promise<boolean> {
  const { queue, messages, reasons, beingRead, remark } = await readWaiting(target, event, most);
  const chosen = messages.filter((_, index) => reasons[index] === reason);
  const consequences = `${chosen.length} ${queue.name} with the reason ${reason} are deleted permanently.`;
  const isConfirmed = chosen.length > 0 && (await report.confirm(consequences, yes));
  const { discarded, notReceived, errors, interrupted } = isConfirmed
    ? await discardConfirmed(queue, chosen, reason)
    : nothingDiscarded;
  const left = messages.length - discarded - notReceived;
  const failed = errors.length;
  const text = [
    `${discarded} deleted. ${interrupted ? 'Interrupted: the rest stayed in its queue.' : `${left} stayed.`}`,
    notReceived > 0 && `${notReceived} could not be received again: another reader has received or deleted them.`,
    failed > 0 && `SQS did not delete ${failed} of them: ${errors[0]}`,
    remark,
  ];
  report.result({ discarded, left, notReceived, interrupted, failed, beingRead }, text.filter(Boolean).join(' '));
  return failed === 0;
}

/**
 * Moves dead letters back to their queue or, without an event, quarantined messages to the queue of their event. Returns whether no
 * message failed to move.
 */
export async function move(
  target: Target,
  report: Report,
  event: EventType | undefined,
  { rate, dryRun, yes }: MoveOptions,
): Promise<boolean> {
  const { sqs, url, name, destinationOf, consequences } = await waitingQueue(target, event);
  const { visible, inFlight: beingRead } = await countReceivable(sqs, url);
  const remark = beingReadText(beingRead, Date.now());
  const text = `${visible} ${name} ${consequences} The rate is ${rate} per second.`;
  const end = (result: object, sentence: string): boolean => {
    report.result({ ...result, beingRead }, `${sentence} ${remark}`.trimEnd());
    return true;
  };
  if (visible === 0) return end({ wouldMove: 0 }, remark ? 'No message can be received.' : 'There is nothing to move.');
  if (dryRun) return end({ wouldMove: visible }, `${text} This is a dry run: nothing was moved.`);
  if (!(await report.confirm(text, yes))) return end({ moved: 0 }, 'Nothing was moved.');

  // Moves at most the number of messages that are present now: one that fails again during this move is left for the next move.
  const { moved, left, errors, interrupted } = await moveWithProgress(sqs, {
    from: url,
    destinationOf,
    max: visible,
    rate,
  });
  const failed = errors.length;
  const stayed = interrupted ? 'Interrupted: the rest stayed in its queue.' : `${left} stayed.`;
  const reason = failed > 0 ? ` ${failed} could not be moved: ${errors[0]?.message}` : '';
  end({ moved, left, interrupted, failed }, `${moved} moved. ${stayed}${reason}`);
  return failed === 0;
}

async function discardConfirmed(
  { sqs, url, reasonOf }: Awaited<ReturnType<typeof waitingQueue>>,
  chosen: readonly WaitingMessage[],
  reason: string,
) {
  const confirmed = {
    queueUrl: url,
    messageIds: new Set(chosen.map(({ message }) => message.MessageId)),
    qualifies: (message: WaitingMessage) => reasonOf(message) === reason,
    // SQS may return other messages first.
    max: maxReading,
  };
  return interruptible(async (signal) => {
    const result = await discardMessages(sqs, { ...confirmed, signal });
    return { ...result, interrupted: signal.aborted };
  });
}

async function moveWithProgress(
  sqs: SQSClient,
  move: Omit<Move, 'onMoved' | 'signal'>,
): Promise<MoveResult & { readonly interrupted: boolean }> {
  const bar = new SingleBar({ format: '{bar} {value} of {total} moved', stopOnComplete: true, noTTYOutput: false });
  bar.start(move.max, 0);
  const onMoved = (count: number) => bar.update(count);
  return interruptible(async (signal) => {
    const result = await moveMessages(sqs, { ...move, onMoved, signal });
    return { ...result, interrupted: signal.aborted };
  }).finally(() => bar.stop());
}

async function readWaiting(target: Target, event: EventType | undefined, most: number) {
  const queue = await waitingQueue(target, event);
  const { inFlight: beingRead } = await countReceivable(queue.sqs, queue.url);
  const messages = await interruptible((signal) => peek(queue.sqs, queue.url, { max: most, signal }));
  const reasons = messages.map(queue.reasonOf);
  return { queue, messages, reasons, beingRead, remark: beingReadText(beingRead, Date.now()) };
}

async function waitingQueue(target: Target, event: EventType | undefined) {
  const sqs = new SQSClient(target.clientOptions('SQS'));
  if (!event)
    return {
      sqs,
      url: target.quarantineQueueUrl,
      name: 'quarantined messages',
      reasonOf: (message: WaitingMessage): string => quarantineReason(message),
      destinationOf: releaseDestination(target.queueUrls),
      consequences: 'are moved to the queue of their event if this release can process them. The others stay.',
    };
  return {
    sqs,
    url: await findDeadLetterQueue(sqs, target.queueUrls[event]),
    name: `dead letters of ${event}`,
    reasonOf: (message: WaitingMessage): string => deadReason(message),
    destinationOf: redriveDestination(target.queueUrls, event),
    consequences: 'are moved back to the queue of their event. A message that fails again becomes a dead letter again.',
  };
}

function remarkIfCut(report: Report, read: number, most: number): void {
  if (read >= most) report.remark(`Only the first ${most} messages were read: use --most for more.`);
}
