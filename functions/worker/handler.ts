import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { createAskArgyle } from '../argyle/argyle-api.ts';
import { createReadArgyleCredentials } from '../aws/argyle-credentials.ts';
import { dynamodbClient, secretsManagerClient, sqsClient } from '../aws/clients.ts';
import { withTimeLimit } from '../aws/deadline.ts';
import { environment, readOptionalVariable, readVariable } from '../aws/environment.ts';
import { createFailedMessages, type PostponeMessages, type SendDeadLetter } from '../aws/event-queue.ts';
import { createTelemetry } from '../aws/telemetry.ts';
import { documentMetrics, durationMetric, workerMetrics } from '../domain/metric-names.ts';
import { messagesPerBatch } from '../domain/queue-message.ts';
import { retryDelaySeconds } from '../domain/retry-budget.ts';
import {
  applyRecord,
  deliveryIdOf,
  type FailedRecord,
  type RecordDependencies,
  type RecordOutcome,
} from './apply-record.ts';
import { createWriteDocument } from './document-store.ts';
import { createBatchEnrich, createEnrich, type Enrich } from './enrich-record.ts';
import { createApplyEvent } from './upload-store.ts';

/** Dependencies of a worker. `random` returns 0 to 1; `budgetMs` limits the time for applying one batch. */
export type WorkerDependencies = RecordDependencies & {
  readonly postponeMessages: PostponeMessages;
  readonly sendDeadLetter: SendDeadLetter;
  readonly random: () => number;
  readonly budgetMs: number;
};

/**
 * Time budget out of the worker's 30 s time-out. The rest is for the failed messages: postponing them, and at the same time sending
 * those that are given up to the dead-letter queue, takes at most 6.5 s.
 */
export const batchBudgetMs = 20_000;

/**
 * Creates the worker of one event type. It merges each message of a batch into its upload record, sends messages that it gives up
 * to the dead-letter queue, and reports exactly the messages that must be retried, so that a poison message affects no other.
 * Messages that exceed the time budget are retried. So is a message whose document Argyle does not know yet, which does not count as
 * failed.
 */
export function createWorker(dependencies: WorkerDependencies) {
  // called by AWS, one batch at a time
  return async (batch: SQSEvent): Promise<SQSBatchResponse> => {
    const startedMs = dependencies.nowMs();
    const { enrich } = dependencies;
    const ofBatch = enrich ? { ...dependencies, enrich: createBatchEnrich(enrich) } : dependencies;
    const applied = await withTimeLimit(dependencies.budgetMs, (deadline) =>
      Promise.all(batch.Records.map((record) => applyRecord(ofBatch, record, deadline))),
    );
    const [outcomes] = await Promise.all([
      Promise.all(applied.map((outcome) => (outcome.kind === 'permanent' ? giveUp(dependencies, outcome) : outcome))),
      postpone(dependencies, applied.filter(mustBeRetried)),
    ]);

    const durationMs = dependencies.nowMs() - startedMs;
    dependencies.telemetry.measure(
      { ...countsOf(outcomes, dependencies.enrich !== undefined), [durationMetric]: durationMs },
      {
        records: outcomes.length,
        // For finding the batch of a document or delivery in the logs. A batch has at most ten of each.
        userUploads: listOf(outcomes.flatMap(({ userUpload }) => userUpload ?? [])),
        deliveryIds: listOf(batch.Records.map(deliveryIdOf)),
      },
    );
    const retried = outcomes.filter(mustBeRetried);
    return { batchItemFailures: retried.map(({ record }) => ({ itemIdentifier: record.messageId })) };
  };
}

function mustBeRetried({ kind, document }: RecordOutcome): boolean {
  return kind === 'retryable' || document === 'awaited';
}

// Returns `retryable` when the dead letter could not be sent. Such a message is not postponed: it stays in its queue and becomes
// visible after the visibility time-out. If it was sent after all, the dead-letter queue has it twice.
async function giveUp(
  { sendDeadLetter, telemetry }: WorkerDependencies,
  outcome: FailedRecord,
): Promise<RecordOutcome> {
  const { record, reason } = outcome;
  try {
    await sendDeadLetter(record, reason);
    return outcome;
  } catch (error) {
    const ids = { messageId: record.messageId, deliveryId: deliveryIdOf(record) };
    telemetry.error('dead_letter_not_sent', error, { ...ids, reason });
    return { ...outcome, kind: 'retryable' };
  }
}

async function postpone(
  { postponeMessages, random, telemetry }: WorkerDependencies,
  retried: readonly RecordOutcome[],
): Promise<void> {
  if (retried.length === 0) return;
  const postponements = retried.map(({ record, retryAfterSeconds = 0 }) => ({
    receiptHandle: record.receiptHandle,
    delaySeconds: retryDelaySeconds(Number(record.attributes.ApproximateReceiveCount), random(), retryAfterSeconds),
  }));
  try {
    await postponeMessages(postponements);
  } catch (error) {
    // The messages then become visible after the queue's visibility time-out: late, but not lost.
    telemetry.error('records_not_postponed', error, { records: retried.length });
  }
}

function listOf(ids: readonly string[]): string {
  return [...new Set(ids)].join(' ');
}

function countsOf(outcomes: readonly RecordOutcome[], callsArgyle: boolean): Record<string, number> {
  const count = (names: Readonly<Record<string, string>>, values: readonly (string | undefined)[]) =>
    Object.entries(names).map(([name, metric]) => [metric, values.filter((value) => value === name).length]);
  const counted = outcomes.filter((outcome) => !isCountedBefore(outcome));
  return Object.fromEntries([
    ...count(
      workerMetrics,
      counted.map(({ kind }) => kind),
    ),
    // Each metric name costs money, so workers that never call Argyle do not print these.
    ...(callsArgyle
      ? count(
          documentMetrics,
          outcomes.map(({ document }) => document),
        )
      : []),
  ]);
}

// A message whose document Argyle did not know was counted when it was first received. A later receive that only requests the
// document again is not a repeated webhook.
function isCountedBefore({ kind, document, record }: RecordOutcome): boolean {
  const isRequestedAgain = document === 'awaited' || document === 'gone';
  return kind === 'stale' && isRequestedAgain && Number(record.attributes.ApproximateReceiveCount) > 1;
}

// once per cold start
function runtimeDependencies(): WorkerDependencies {
  const dynamodb = dynamodbClient();
  const tableName = readVariable(environment.tableName);
  const enrich = runtimeEnrich(dynamodb, tableName);
  return {
    eventType: readVariable(environment.eventType),
    applyEvent: createApplyEvent(dynamodb, tableName, Number(readVariable(environment.retentionDays))),
    ...(enrich && { enrich }),
    ...createFailedMessages(sqsClient, {
      queueUrl: readVariable(environment.queueUrl),
      deadLetterQueueUrl: readVariable(environment.deadLetterQueueUrl),
    }),
    telemetry: createTelemetry(),
    nowMs: Date.now,
    random: Math.random,
    budgetMs: batchBudgetMs,
  };
}

// Infra sets the variable only with credentials, and not for the worker of removals.
function runtimeEnrich(dynamodb: ReturnType<typeof dynamodbClient>, tableName: string): Enrich | undefined {
  const credentialsId = readOptionalVariable(environment.argyleCredentialsId);
  if (!credentialsId) return undefined;
  const readCredentials = createReadArgyleCredentials(secretsManagerClient(), credentialsId, Date.now);
  return createEnrich({
    askArgyle: createAskArgyle(readVariable(environment.argyleApiUrl), readCredentials, messagesPerBatch),
    writeDocument: createWriteDocument(dynamodb, tableName),
    nowMs: Date.now,
  });
}

export const handler = createWorker(runtimeDependencies());
