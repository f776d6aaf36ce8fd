import type { SQSRecord } from 'aws-lambda';
import type { Postponement } from '../../../functions/aws/event-queue.ts';
import { batchBudgetMs, createWorker, type WorkerDependencies } from '../../../functions/worker/handler.ts';
import { fakeTelemetry } from '../fakes/fakes.ts';
import { sample } from './builders.ts';

/** Creates a worker that applies every event. Returns it together with what the fakes recorded. */
export function setUpWorker(setup: Partial<WorkerDependencies> = {}) {
  const postponed: (readonly Postponement[])[] = [];
  const deadLetters: { readonly messageId: string; readonly reason: string }[] = [];
  const { telemetry, measured, errors } = fakeTelemetry();
  const worker = createWorker({
    eventType: sample.event,
    applyEvent: async () => ({ kind: 'applied', isRemoved: false }),
    postponeMessages: async (messages) => {
      postponed.push(messages);
    },
    sendDeadLetter: async (message, reason) => {
      deadLetters.push({ messageId: (message as SQSRecord).messageId, reason });
    },
    telemetry,
    nowMs: () => Date.parse(sample.receivedAt),
    random: () => 0,
    budgetMs: batchBudgetMs,
    ...setup,
  });
  return { work: (Records: SQSRecord[]) => worker({ Records }), postponed, deadLetters, measured, errors };
}

/** A response of the worker that reports these messages as failed: they stay in their queue. */
export function failed(...messageIds: readonly string[]) {
  return { batchItemFailures: messageIds.map((itemIdentifier) => ({ itemIdentifier })) };
}
