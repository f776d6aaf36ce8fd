import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

/** The configuration of an event source mapping. */
export type EventSourceOptions = {
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly reportsPartialFailures: boolean;
  readonly invoke: (event: SQSEvent) => Promise<unknown>;
  readonly signal: AbortSignal;
};

const sqsBatchLimit = 10;

/**
 * Polls a queue until `signal` aborts, as Lambda's event source mapping does: collects batches, invokes the function and
 * deletes the messages that succeeded. The queue makes failed messages visible again after their visibility time-out, or
 * moves them to the dead-letter queue after the maximum number of receives. There is one poller: with more, batches would be
 * smaller.
 */
export async function runEventSource(options: EventSourceOptions): Promise<void> {
  while (!options.signal.aborted) {
    try {
      const messages = await collectBatch(options);
      if (messages.length > 0) await handleBatch(options, messages);
    } catch {
      // The queue does not answer. Lambda's poller keeps polling, too.
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function collectBatch(options: EventSourceOptions): Promise<readonly Message[]> {
  const messages = await receive(options, options.batchSize, 20);
  const windowEndsMs = Date.now() + options.windowSeconds * 1_000;
  while (messages.length > 0 && messages.length < options.batchSize) {
    const secondsLeft = Math.ceil((windowEndsMs - Date.now()) / 1_000);
    if (secondsLeft <= 0) break;
    messages.push(...(await receive(options, options.batchSize - messages.length, Math.min(secondsLeft, 20))));
  }
  return messages;
}

async function receive(
  { sqs, queueUrl, signal }: EventSourceOptions,
  maxMessages: number,
  waitSeconds: number,
): Promise<Message[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: Math.min(maxMessages, sqsBatchLimit),
    WaitTimeSeconds: waitSeconds,
    MessageAttributeNames: ['All'],
    MessageSystemAttributeNames: ['All'],
  });
  const { Messages = [] } = await sqs.send(command, { abortSignal: signal });
  return Messages;
}

async function handleBatch(options: EventSourceOptions, messages: readonly Message[]): Promise<void> {
  const records = messages.map((message) => recordOf(message, options.queueArn));
  const result = await options.invoke({ Records: records }).catch(() => 'failed' as const);
  const failedIds = result === 'failed' ? 'all' : failedIdsOf(result, options.reportsPartialFailures);
  if (failedIds === 'all' || failedIds.some((id) => records.every(({ messageId }) => messageId !== id))) return;

  const done = records.filter(({ messageId }) => !failedIds.includes(messageId));
  for (let start = 0; start < done.length; start += sqsBatchLimit) {
    const Entries = done.slice(start, start + sqsBatchLimit).map(({ messageId, receiptHandle }) => ({
      Id: messageId,
      ReceiptHandle: receiptHandle,
    }));
    await options.sqs.send(new DeleteMessageBatchCommand({ QueueUrl: options.queueUrl, Entries }));
  }
}

// Lambda treats an invalid answer as a failure of the whole batch.
function failedIdsOf(result: unknown, reportsPartialFailures: boolean): readonly string[] | 'all' {
  if (!reportsPartialFailures || result === null || result === undefined) return [];
  const { batchItemFailures } = result as Partial<SQSBatchResponse>;
  if (batchItemFailures === null || batchItemFailures === undefined) return [];
  if (!Array.isArray(batchItemFailures)) return 'all';
  const ids = batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  return ids.every((id) => typeof id === 'string' && id !== '') ? ids : 'all';
}

function recordOf(message: Message, eventSourceARN: string): SQSRecord {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [
    name,
    {
      stringValue: value.StringValue,
      ...(value.BinaryValue && { binaryValue: Buffer.from(value.BinaryValue).toString('base64') }),
      dataType: value.DataType,
      stringListValues: [],
      binaryListValues: [],
    },
  ]);
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: message.Attributes as unknown as SQSRecord['attributes'],
    messageAttributes: Object.fromEntries(attributes),
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN,
    awsRegion: 'us-east-1',
  };
}
