import { DeleteMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { makeVisible, maxErrors, type Reading, receiveBatches, type WaitingMessage } from './dead-messages.ts';

/** What to delete: the messages that the user has confirmed, if they still qualify. */
export type Discard = Reading & {
  readonly queueUrl: string;
  /** The ids of the messages to delete. */
  readonly messageIds: ReadonlySet<string | undefined>;
  readonly qualifies: (message: WaitingMessage) => boolean;
};

/** How many messages were deleted and how many were not received again, and an error for each one that SQS did not delete. */
export type DiscardResult = {
  readonly discarded: number;
  readonly notReceived: number;
  readonly errors: readonly string[];
};

/**
 * Receives messages and deletes some of them. It deletes each batch at once, because SQS may ignore a receipt handle that is older
 * than the visibility time-out and still report success. Ten errors end the deletion. All other messages are visible again
 * afterwards.
 */
export async function discardMessages(
  sqs: SQSClient,
  { queueUrl, messageIds, qualifies, ...reading }: Discard,
): Promise<DiscardResult> {
  const missing = new Set(messageIds);
  const held = new Set<WaitingMessage>();
  const errors: string[] = [];
  let discarded = 0;
  try {
    for await (const batch of receiveBatches(sqs, queueUrl, reading)) {
      for (const waiting of batch) held.add(waiting);
      const chosen = batch.filter((waiting) => messageIds.has(waiting.message.MessageId) && qualifies(waiting));
      for (const { message } of batch) missing.delete(message.MessageId);
      const { deleted, failures } = await deleteBatch(sqs, queueUrl, chosen);
      for (const waiting of deleted) held.delete(waiting);
      discarded += deleted.length;
      errors.push(...failures);
      if (missing.size === 0 || errors.length >= maxErrors) break;
    }
  } finally {
    await makeVisible(sqs, queueUrl, [...held]);
  }
  // After an early end, the others were not asked for.
  const hasReadAll = !reading.signal.aborted && errors.length < maxErrors;
  return { discarded, notReceived: hasReadAll ? missing.size : 0, errors };
}

async function deleteBatch(
  sqs: SQSClient,
  QueueUrl: string,
  batch: readonly WaitingMessage[],
): Promise<{ readonly deleted: readonly WaitingMessage[]; readonly failures: readonly string[] }> {
  if (batch.length === 0) return { deleted: [], failures: [] };
  const Entries = batch.map(({ message }, index) => ({
    Id: String(index),
    ReceiptHandle: message.ReceiptHandle ?? '',
  }));
  try {
    const answer = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    const successful = new Set(answer.Successful?.map(({ Id }) => Id));
    const failures = (answer.Failed ?? []).map(({ Code, Message }) => Message ?? Code ?? 'unknown error');
    return { deleted: batch.filter((_, index) => successful.has(String(index))), failures };
  } catch (error) {
    return { deleted: [], failures: batch.map(() => (error as Error).message) };
  }
}
