import {
  ChangeMessageVisibilityBatchCommand,
  SendMessageCommand,
  type SendMessageCommandInput,
  type SendMessageCommandOutput,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { FailureReason, QueueMessage } from '../domain/queue-message.ts';
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
 * Sets when failed messages become visible again, at most 10 per call, which is the size of a batch. Throws when SQS refuses some
 * of them. Those become visible after the queue's visibility time-out.
 */
export type PostponeMessages = (messages: readonly Postponement[]) => Promise<void>;

/** A message as Lambda passes it to a worker. A binary value is in base64. */
export type ReceivedMessage = {
  readonly body: string;
  readonly messageAttributes: Readonly<Record<string, ReceivedAttribute>>;
};

type ReceivedAttribute = {
  readonly dataType: string;
  readonly stringValue?: string | undefined;
  readonly binaryValue?: string | undefined;
};

/**
 * Sends a message that its worker gives up to the dead-letter queue. The body and all attributes stay the same, and the
 * attribute `reason` is added. Throws when it is uncertain whether SQS has stored the message, or when SQS refuses it.
 */
export type SendDeadLetter = (message: ReceivedMessage, reason: FailureReason) => Promise<void>;

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
    ensureStored(await abortable(client.send(command), abortSignal));
  };
}

/**
 * Creates the functions for the failed messages of one queue. They create the client when the first message fails, because most
 * execution environments never need it (docs/performance.md).
 */
export function createFailedMessages(
  createClient: () => SQSClient,
  { queueUrl, deadLetterQueueUrl }: { readonly queueUrl: string; readonly deadLetterQueueUrl: string },
): { readonly postponeMessages: PostponeMessages; readonly sendDeadLetter: SendDeadLetter } {
  let created: SQSClient | undefined;
  const client = () => {
    created ??= createClient();
    return created;
  };
  return {
    postponeMessages: (messages) => postpone(client(), queueUrl, messages),
    sendDeadLetter: async ({ body, messageAttributes }, reason) => {
      const command = new SendMessageCommand({
        QueueUrl: deadLetterQueueUrl,
        MessageBody: body,
        // An earlier `reason` is replaced: SQS's own redrive keeps the attributes of dead letters.
        MessageAttributes: {
          ...sentAttributes(messageAttributes),
          reason: { DataType: 'String', StringValue: reason },
        },
      });
      ensureStored(await client().send(command, { abortSignal: callDeadline() }));
    },
  };
}

async function postpone(client: SQSClient, queueUrl: string, messages: readonly Postponement[]): Promise<void> {
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
}

function ensureStored({ MessageId }: SendMessageCommandOutput): void {
  if (!MessageId) throw new Error('SQS returned no MessageId: it may not have stored the message.');
}

function sentAttributes(received: ReceivedMessage['messageAttributes']): SendMessageCommandInput['MessageAttributes'] {
  return Object.fromEntries(
    Object.entries(received).map(([name, { dataType, stringValue, binaryValue }]) => [
      name,
      binaryValue === undefined
        ? { DataType: dataType, StringValue: stringValue }
        : { DataType: dataType, BinaryValue: Buffer.from(binaryValue, 'base64') },
    ]),
  );
}
