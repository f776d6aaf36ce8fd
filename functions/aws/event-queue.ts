import { ChangeMessageVisibilityBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { QueueMessage } from '../domain/queue-message.ts';
import { callDeadline } from './clients.ts';
import { abortable } from './deadline.ts';

/**
 * Sends a message to a queue. Resolves once SQS has stored it. Throws when that is uncertain: SQS may have stored
 * the message, or may still receive it.
 */
export type SendMessage = (queueUrl: string, message: QueueMessage, abortSignal: AbortSignal) => Promise<void>;

/** When a failed message becomes visible again: 0 to 43,200 seconds from now. */
export type Postponement = { readonly receiptHandle: string; readonly delaySeconds: number };

/**
 * Sets when failed messages become visible again. Throws when SQS refuses some of them. Those become visible after the
 * queue's visibility time-out.
 */
export type PostponeMessages = (messages: readonly Postponement[]) => Promise<void>;

/** Creates a sender that uses the given client. */
export function createSendMessage(client: SQSClient): SendMessage {
  return async (queueUrl, message, abortSignal) => {
    const command = new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: message.body,
      MessageAttributes: Object.fromEntries(
        Object.entries(message.attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
      ),
    });
    abortSignal.throwIfAborted();
    // The signal is not passed to the client. The client would then rebuild its middleware stack for each call, which costs
    // an eighth of ingest's CPU.
    const { MessageId } = await abortable(client.send(command), abortSignal);
    if (!MessageId) throw new Error('SQS returned no MessageId: it may not have stored the message.');
  };
}

/**
 * Creates a function that postpones messages of one queue, at most 10 per call, which is the size of a batch. It
 * creates the client when the first message fails, because most execution environments never need it (docs/performance.md).
 */
export function createPostponeMessages(createClient: () => SQSClient, queueUrl: string): PostponeMessages {
  let client: SQSClient | undefined;
  return async (messages) => {
    client ??= createClient();
    const command = new ChangeMessageVisibilityBatchCommand({
      QueueUrl: queueUrl,
      Entries: messages.map(({ receiptHandle, delaySeconds }, index) => ({
        Id: String(index),
        ReceiptHandle: receiptHandle,
        VisibilityTimeout: delaySeconds,
      })),
    });
    const { Failed = [] } = await client.send(command, { abortSignal: callDeadline() });
    if (Failed.length > 0)
      throw new Error(`SQS refused ${Failed.length} visibility changes. The first error is ${Failed[0]?.Code}.`);
  };
}
