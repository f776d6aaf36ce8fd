import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { dynamodbClient, sqsClient } from './aws/clients.ts';
import { createPostponeMessages, type PostponeMessages } from './aws/event-queue.ts';
import { createTelemetry, type Telemetry } from './aws/telemetry.ts';
import { type ApplyEvent, createApplyEvent } from './aws/upload-store.ts';
import { readMessage } from './domain/queue-message.ts';
import { retryDelaySeconds } from './domain/retry-delay.ts';
import { isTooOldToCreate } from './domain/upload-record.ts';
import { environment, readVariable } from './environment.ts';
import { durationMetric, workerMetrics } from './metric-names.ts';

/** What a worker needs from outside; `random` gives 0 to 1. */
export type WorkerDependencies = {
  readonly eventType: string;
  readonly applyEvent: ApplyEvent;
  readonly postponeMessages: PostponeMessages;
  readonly telemetry: Telemetry;
  readonly nowMs: () => number;
  readonly random: () => number;
};

/** `retryable`: our trouble, tried again for over six hours. `permanent`: will never work, in the DLQ within seconds. */
type Outcome =
  | { readonly kind: 'applied' | 'stale' }
  | { readonly kind: 'retryable'; readonly record: SQSRecord }
  | { readonly kind: 'permanent'; readonly record: SQSRecord };

/**
 * The worker of one event type: merges each message of a batch into its upload record and reports exactly the
 * messages that failed, so that a poison message harms only itself.
 */
export function createWorker(dependencies: WorkerDependencies) {
  // called by AWS, one batch at a time
  return async (batch: SQSEvent): Promise<SQSBatchResponse> => {
    const startedMs = dependencies.nowMs();
    const outcomes = await Promise.all(batch.Records.map((record) => applyRecord(dependencies, record)));
    const failures = outcomes.filter((outcome) => 'record' in outcome);
    if (failures.length > 0) await postpone(dependencies, failures);

    const counts = Object.entries(workerMetrics).map(([kind, metric]) => [metric, countOf(outcomes, kind)]);
    const durationMs = dependencies.nowMs() - startedMs;
    dependencies.telemetry.measure(
      { ...Object.fromEntries(counts), [durationMetric]: durationMs },
      { records: batch.Records.length },
    );
    return { batchItemFailures: failures.map(({ record }) => ({ itemIdentifier: record.messageId })) };
  };
}

// once per record
async function applyRecord(dependencies: WorkerDependencies, record: SQSRecord): Promise<Outcome> {
  const reading = readMessage({ body: record.body, attributes: stringAttributes(record) });
  if (reading.kind === 'unreadable') return fail(dependencies, 'permanent', record, 'unreadable');
  const { envelope, receivedAt } = reading;
  if (envelope.event !== dependencies.eventType) return fail(dependencies, 'permanent', record, 'wrong_event');

  try {
    const mayCreate = !isTooOldToCreate(receivedAt, dependencies.nowMs());
    const kind = await dependencies.applyEvent(envelope, receivedAt, { mayCreate });
    return kind === 'expired' ? fail(dependencies, 'permanent', record, 'expired') : { kind };
  } catch (error) {
    return fail(dependencies, 'retryable', record, 'not_stored', error);
  }
}

function fail(
  { telemetry }: WorkerDependencies,
  kind: 'retryable' | 'permanent',
  record: SQSRecord,
  reason: string,
  error?: unknown,
): Outcome {
  const deliveryId = record.messageAttributes.deliveryId?.stringValue ?? 'unknown';
  telemetry.error('record_failed', error, { messageId: record.messageId, deliveryId, kind, reason });
  return { kind, record };
}

async function postpone(
  { postponeMessages, random, telemetry }: WorkerDependencies,
  failures: readonly { readonly kind: string; readonly record: SQSRecord }[],
): Promise<void> {
  const postponements = failures.map(({ kind, record }) => ({
    receiptHandle: record.receiptHandle,
    delaySeconds:
      kind === 'permanent' ? 0 : retryDelaySeconds(Number(record.attributes.ApproximateReceiveCount), random()),
  }));
  try {
    await postponeMessages(postponements);
  } catch (error) {
    // The messages then come back after the queue's visibility time-out: later than wanted, but not lost.
    telemetry.error('records_not_postponed', error, { records: failures.length });
  }
}

function stringAttributes({ messageAttributes }: SQSRecord): Record<string, string> {
  return Object.fromEntries(
    Object.entries(messageAttributes).map(([name, { stringValue }]) => [name, stringValue ?? '']),
  );
}

function countOf(outcomes: readonly Outcome[], kind: string): number {
  return outcomes.filter((outcome) => outcome.kind === kind).length;
}

// once per cold start
function runtimeDependencies(): WorkerDependencies {
  return {
    eventType: readVariable(environment.eventType),
    applyEvent: createApplyEvent(
      dynamodbClient(),
      readVariable(environment.tableName),
      Number(readVariable(environment.retentionDays)),
    ),
    postponeMessages: createPostponeMessages(sqsClient(), readVariable(environment.queueUrl)),
    telemetry: createTelemetry(),
    nowMs: Date.now,
    random: Math.random,
  };
}

export const handler = createWorker(runtimeDependencies());
