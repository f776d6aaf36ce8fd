import { DeleteMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { EventType } from '../functions/domain/events.ts';
import { confirm } from './confirm.ts';
import {
  deadReason,
  envelopeReading,
  findDeadLetterQueue,
  putBack,
  receiveAll,
  type WaitingMessage,
} from './dead-messages.ts';
import type { Report } from './report.ts';
import type { Target } from './target.ts';

/** What a command that deletes messages is told; `most`: how many to look at. */
export type DiscardOptions = { readonly most: number; readonly isSure: boolean };

/** Deletes an event's dead letters that putting back cannot help. What failed 16 times stays: it may be applied yet. */
export async function discardDead(
  target: Target,
  event: EventType,
  options: DiscardOptions,
  report: Report,
): Promise<void> {
  const sqs = new SQSClient(target.clientOptions('SQS'));
  const queueUrl = await findDeadLetterQueue(sqs, target.queueUrls[event]);
  const isHopeless = (message: WaitingMessage) => deadReason(message, event, Date.now()) !== 'failed_16_times';
  await discard(sqs, { queueUrl, isHopeless, what: `dead letters of ${event}` }, options, report);
}

/** Deletes what this release does not understand. What is understood by now stays, to be released. */
export async function discardQuarantine(target: Target, options: DiscardOptions, report: Report): Promise<void> {
  const sqs = new SQSClient(target.clientOptions('SQS'));
  const isHopeless = (message: WaitingMessage) => envelopeReading(message).kind !== 'envelope';
  await discard(
    sqs,
    { queueUrl: target.quarantineQueueUrl, isHopeless, what: 'quarantined messages' },
    options,
    report,
  );
}

type Choice = {
  readonly queueUrl: string;
  readonly what: string;
  readonly isHopeless: (message: WaitingMessage) => boolean;
};

async function discard(
  sqs: SQSClient,
  { queueUrl, what, isHopeless }: Choice,
  { most, isSure }: DiscardOptions,
  report: Report,
): Promise<void> {
  const messages: WaitingMessage[] = [];
  for await (const received of receiveAll(sqs, queueUrl, most)) messages.push(...received);
  const hopeless = messages.filter(isHopeless);
  const question = `${hopeless.length} ${what} are deleted for good, of ${messages.length}: no worker of this release can apply them.`;
  let gone: readonly WaitingMessage[] = [];
  try {
    if (hopeless.length > 0 && (await confirm(question, isSure))) gone = hopeless;
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
