import { ChangeMessageVisibilityBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { QueueMessage } from '../domain/queue-message.ts';
import { callDeadline } from './clients.ts';
import { orAborted } from './deadline.ts';

/** Puts a message on a queue; resolves once SQS has it, throws when that is not certain: it may then have it, or get it yet. */
export type SendMessage = (queueUrl: string, message: QueueMessage, abortSignal: AbortSignal) => Promise<void>;

/** When a received message that failed comes back: 0 to 43,200 seconds from now. */
export type Postponement = { readonly receiptHandle: string; readonly delaySeconds: number };

/** Sets when failed messages come back; throws when SQS refused some, which then return after the queue's own time-out. */
export type PostponeMessages = (messages: readonly Postponement[]) => Promise<void>;

/** Sends through the given client. */
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
    // Not handed to the client, which would put its layers together anew for it: an eighth of ingest's CPU.
    const { MessageId } = await orAborted(client.send(command), abortSignal);
    if (!MessageId) throw new Error('SQS answered without naming the message: it may not have it.');
  };
}

/**
 * Postpones messages of one queue; at most 10 a call, as many as a batch holds. Connects for the first that fail: most
 * cold starts never need the client (docs/performance.md).
 */
export function createPostponeMessages(connect: () => SQSClient, queueUrl: string): PostponeMessages {
  let client: SQSClient | undefined;
  return async (messages) => {
    client ??= connect();
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
      throw new Error(`SQS refused ${Failed.length} visibility changes, the first: ${Failed[0]?.Code}`);
  };
}
