import { randomUUID } from 'node:crypto';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Emulators } from './emulators.ts';
import { functionOf, type Lambda } from './lambda.ts';
import { type StreamRecord, startTableStream } from './table-stream.ts';
import { type LocalStack, type Properties, resolve } from './template.ts';
import { queueUrlOf } from './wiring.ts';

/** An event as the bus delivers it. */
export type BusEvent = {
  readonly id: string;
  readonly time: string;
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: unknown;
};

/** The published record changes, as `GET /console/changes` returns them. */
export type ChangeFeed = {
  /** The DynamoDB endpoint that the functions must use, so that their writes reach the stream. */
  readonly endpoint: string;
  /** The newest event comes first. */
  readonly changes: () => { readonly isPublishing: boolean; readonly changes: readonly BusEvent[] };
  readonly stop: () => Promise<void>;
};

type PipeOptions = {
  readonly stack: LocalStack;
  readonly functions: ReadonlyMap<string, Lambda>;
  readonly sqs: SQSClient;
  readonly publish: (event: BusEvent) => void;
};

type Pipe = { readonly put: (record: StreamRecord) => void; readonly stop: () => void };

// For the console. The local event bus has no subscribers and keeps no more than these.
const maxEvents = 200;

// The template spreads its retries over hours; the local pipeline does not wait that long.
const maxAttempts = 3;

/**
 * Emulates the template's path from the table to its event bus: a stream (see `startTableStream`) and the pipe with the
 * real function. When the template has no pipe, the functions use the DynamoDB emulator directly.
 */
export async function startChangeFeed(
  stack: LocalStack,
  { endpoints, sqs }: Emulators,
  functions: ReadonlyMap<string, Lambda>,
): Promise<ChangeFeed> {
  const events: BusEvent[] = [];
  const publish = (event: BusEvent) => {
    events.unshift(event);
    events.splice(maxEvents);
  };
  const [pipe] = stack.template.ofType('AWS::Pipes::Pipe');
  const changes = () => ({ isPublishing: pipe !== undefined, changes: events });
  if (!pipe) return { endpoint: endpoints.dynamodb, changes, stop: async () => undefined };

  const running = startPipe(pipe.properties, { stack, functions, sqs, publish });
  const streamArn = resolve(pipe.properties.Source, stack.identities);
  const tableName = /:table\/([^/]+)\/stream\//.exec(streamArn)?.[1] ?? '';
  const stream = await startTableStream({ endpoint: endpoints.dynamodb, tableName, onRecord: running.put });
  return {
    endpoint: stream.endpoint,
    changes,
    stop: async () => {
      running.stop();
      await stream.stop();
    },
  };
}

/**
 * Starts an EventBridge pipe from a stream through a function to a bus. It handles batches in order and splits a failed
 * batch in half. A record that fails three times alone goes to the dead-letter queue, as a message without its content.
 */
export function startPipe(properties: Properties, { stack, functions, sqs, publish }: PipeOptions): Pipe {
  // Resolves only these properties: the pipe's role has no local identity.
  const resolved = (name: string) => resolve<Properties>(properties[name], stack.identities);
  const enrichment = resolve(properties.Enrichment, stack.identities);
  const { BatchSize, DeadLetterConfig } = resolved('SourceParameters').DynamoDBStreamParameters;
  const { Source, DetailType } = resolved('TargetParameters').EventBridgeEventBusParameters;
  const waiting: StreamRecord[] = [];
  let isRunning = false;
  let isStopped = false;

  const deliver = async (batch: readonly StreamRecord[], attempt = 1): Promise<void> => {
    if (isStopped) return;
    try {
      const details = (await functionOf(enrichment, functions).invoke(batch)) as readonly unknown[];
      for (const detail of details) {
        const time = new Date().toISOString();
        publish({ id: randomUUID(), time, source: Source, 'detail-type': DetailType, detail });
      }
    } catch {
      const half = Math.ceil(batch.length / 2);
      if (batch.length > 1) for (const part of [batch.slice(0, half), batch.slice(half)]) await deliver(part);
      else if (attempt < maxAttempts) await deliver(batch, attempt + 1);
      else await sendDeadLetter();
    }
  };
  const sendDeadLetter = async (): Promise<void> => {
    const MessageBody = JSON.stringify({ context: { condition: 'RetryAttemptsExhausted' }, batchSize: 1 });
    const QueueUrl = queueUrlOf(DeadLetterConfig.Arn, stack);
    if (!isStopped) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  };
  const run = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    // If the dead-letter queue does not answer either, the record is lost: the emulator has then lost its queues, too.
    while (waiting.length > 0 && !isStopped) await deliver(waiting.splice(0, BatchSize)).catch(() => undefined);
    isRunning = false;
  };
  return {
    put: (record) => {
      waiting.push(record);
      void run();
    },
    stop: () => {
      isStopped = true;
    },
  };
}
