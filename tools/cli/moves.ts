import { SQSClient } from '@aws-sdk/client-sqs';
import { SingleBar } from 'cli-progress';
import type { EventType } from '../../functions/domain/events.ts';
import { countMessages, findDeadLetterQueue, lookAt, quarantineReason } from '../messages/dead-messages.ts';
import { backOn, type Move, moveMessages, onQueueOfEvent } from '../messages/move-messages.ts';
import { confirm } from './confirm.ts';
import { type Report, tableOf } from './report.ts';
import type { Target } from './target.ts';

/** What a command that moves messages is told; `rate`: messages a second. */
export type MoveOptions = { readonly rate: number; readonly dryRun: boolean; readonly isSure: boolean };

/** Puts an event's dead letters back on its queue; those of another event on the queue of that one. */
export async function redrive(target: Target, event: EventType, options: MoveOptions, report: Report): Promise<void> {
  const sqs = new SQSClient(target.clientOptions('SQS'));
  const from = await findDeadLetterQueue(sqs, target.queueUrls[event]);
  const what = (count: number) =>
    `${count} dead letters of ${event} go back on its queue, at ${options.rate} a second; one of another event goes on the queue of that one. What fails again comes back.`;
  await move(sqs, { from, what, destinationOf: backOn(target.queueUrls, event) }, options, report);
}

/** Puts what is understood by now on the queue of its event: after an update of the stack. The rest stays. */
export async function releaseQuarantine(target: Target, options: MoveOptions, report: Report): Promise<void> {
  const sqs = new SQSClient(target.clientOptions('SQS'));
  const what = (count: number) =>
    `Of ${count} quarantined messages those that are understood by now go on the queue of their event, at ${options.rate} a second.`;
  const destinationOf = onQueueOfEvent(target.queueUrls);
  await move(sqs, { from: target.quarantineQueueUrl, what, destinationOf }, options, report);
}

/** Prints what is in quarantine and why, by count. The messages stay where they are. */
export async function listQuarantine(target: Target, most: number, report: Report): Promise<boolean> {
  const sqs = new SQSClient(target.clientOptions('SQS'));
  const messages = await lookAt(sqs, target.quarantineQueueUrl, most);
  const kinds = messages.map((message) => ({
    reason: quarantineReason(message),
    event: message.attributes.event ?? '-',
  }));
  const groups = Object.values(Object.groupBy(kinds, ({ reason, event }) => `${reason} ${event}`));
  const counts = groups.map((group = []) => ({ ...group[0], count: group.length }));
  const rows = counts.map(({ reason = '', event = '', count }) => [reason, event, count]);
  report.result(
    counts,
    rows.length > 0 ? tableOf([['reason', 'event', 'count'], ...rows]) : 'The quarantine is empty.',
  );
  return counts.length > 0;
}

type Plan = {
  readonly from: string;
  readonly what: (count: number) => string;
  readonly destinationOf: Move['destinationOf'];
};

async function move(
  sqs: SQSClient,
  { from, what, destinationOf }: Plan,
  options: MoveOptions,
  report: Report,
): Promise<void> {
  const { visible } = await countMessages(sqs, from);
  if (options.dryRun || visible === 0)
    return report.result(
      { wouldMove: visible },
      visible === 0 ? 'There is nothing to move.' : `${what(visible)} (Not now: this was a dry run.)`,
    );
  if (!(await confirm(what(visible), options.isSure))) return report.result({ moved: 0 }, 'Nothing was moved.');

  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  const bar = new SingleBar({ format: '{bar} {value} of {total} moved', stopOnComplete: true, noTTYOutput: false });
  bar.start(visible, 0);
  const { moved, left } = await moveMessages(sqs, {
    from,
    destinationOf,
    // What comes back meanwhile is for the next time.
    most: visible,
    rate: options.rate,
    onMoved: (count) => bar.update(count),
    signal: interrupted.signal,
  });
  bar.stop();
  const end = interrupted.signal.aborted ? 'Interrupted: the rest is where it was.' : `${left} stayed.`;
  report.result({ moved, left, interrupted: interrupted.signal.aborted }, `${moved} moved. ${end}`);
}
