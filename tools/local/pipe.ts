import { randomUUID } from 'node:crypto';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { functionOf, type Lambda } from './lambda.ts';
import type { StreamRecord } from './table-stream.ts';
import type { LocalStack } from './template.ts';
import { type Properties, resolve } from './template.ts';
import { queueUrlOf } from './wiring.ts';

/** An event as whoever subscribes to the bus gets it. */
export type BusEvent = {
  readonly id: string;
  readonly time: string;
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: unknown;
};

/** What a pipe of the template is run with. */
export type PipeOptions = {
  readonly stack: LocalStack;
  readonly functions: () => ReadonlyMap<string, Lambda>;
  readonly sqs: SQSClient;
  readonly publish: (event: BusEvent) => void;
};

/** A running pipe. */
export type Pipe = { readonly put: (record: StreamRecord) => void; readonly stop: () => void };

// The template's retries are spread over hours; here nobody waits for that.
const mostAttempts = 3;

/**
 * An EventBridge pipe from a stream through a function to a bus: batches as the template says, in order, with halved
 * batches after a failure. What fails alone three times goes to the template's dead-letter queue, as a message that tells
 * where it was and not what it was.
 */
export function startPipe(properties: Properties, { stack, functions, sqs, publish }: PipeOptions): Pipe {
  // Its role is none of these: roles have no part here.
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
      const details = (await functionOf(enrichment, functions()).invoke(batch)) as readonly unknown[];
      for (const detail of details) {
        const time = new Date().toISOString();
        publish({ id: randomUUID(), time, source: Source, 'detail-type': DetailType, detail });
      }
    } catch {
      const half = Math.ceil(batch.length / 2);
      if (batch.length > 1) for (const part of [batch.slice(0, half), batch.slice(half)]) await deliver(part);
      else if (attempt < mostAttempts) await deliver(batch, attempt + 1);
      else await giveUp();
    }
  };
  const giveUp = async (): Promise<void> => {
    const MessageBody = JSON.stringify({ context: { condition: 'RetryAttemptsExhausted' }, batchSize: 1 });
    const QueueUrl = queueUrlOf(DeadLetterConfig.Arn, stack);
    if (!isStopped) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  };
  const run = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    // Those that cannot be given up either, because the queue does not answer, are lost here as with the engine.
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
