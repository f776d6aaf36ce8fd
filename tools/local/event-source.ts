import { DeleteMessageBatchCommand, type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';

/** An event source mapping of the template. */
export type EventSourceOptions = {
  readonly sqs: SQSClient;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  readonly reportsPartialFailures: boolean;
  readonly concurrency: number;
  readonly invoke: (event: SQSEvent) => Promise<unknown>;
  readonly signal: AbortSignal;
};

const sqsBatchLimit = 10;

/**
 * Polls a queue as Lambda's event source mapping does until `signal` aborts: gathers batches, invokes, deletes what
 * succeeded. What failed stays in the queue, which brings it back after its visibility time-out and hands it to the
 * dead-letter queue when it was received too often.
 */
export async function runEventSource(options: EventSourceOptions): Promise<void> {
  await Promise.all(Array.from({ length: options.concurrency }, () => poll(options)));
}

async function poll(options: EventSourceOptions): Promise<void> {
  while (!options.signal.aborted) {
    try {
      const messages = await gatherBatch(options);
      if (messages.length > 0) await workOn(options, messages);
    } catch {
      // The queue does not answer: like Lambda's poller, keep asking.
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function gatherBatch(options: EventSourceOptions): Promise<readonly Message[]> {
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
  wanted: number,
  waitSeconds: number,
): Promise<Message[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: Math.min(wanted, sqsBatchLimit),
    WaitTimeSeconds: waitSeconds,
    MessageAttributeNames: ['All'],
    MessageSystemAttributeNames: ['All'],
  });
  const { Messages = [] } = await sqs.send(command, { abortSignal: signal });
  return Messages;
}

async function workOn(options: EventSourceOptions, messages: readonly Message[]): Promise<void> {
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

// Lambda takes an answer that it cannot read for a failure of the whole batch.
function failedIdsOf(result: unknown, reportsPartialFailures: boolean): readonly string[] | 'all' {
  if (!reportsPartialFailures || result === null || result === undefined) return [];
  const { batchItemFailures } = result as Partial<SQSBatchResponse>;
  if (batchItemFailures === null || batchItemFailures === undefined) return [];
  if (!Array.isArray(batchItemFailures)) return 'all';
  const ids = batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
  return ids.every((id) => typeof id === 'string' && id !== '') ? ids : 'all';
}

function recordOf(message: Message, eventSourceARN: string): SQSRecord {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, { StringValue, DataType }]) => [
    name,
    { stringValue: StringValue, dataType: DataType, stringListValues: [], binaryListValues: [] },
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
