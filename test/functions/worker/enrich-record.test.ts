import { setTimeout } from 'node:timers/promises';
import type { SQSRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { type ArgyleAnswer, createAskArgyle } from '../../../functions/argyle/argyle-api.ts';
import type { Postponement } from '../../../functions/aws/event-queue.ts';
import { createEnrich } from '../../../functions/worker/enrich-record.ts';
import { batchBudgetMs, createWorker } from '../../../functions/worker/handler.ts';
import type { ApplyOutcome } from '../../../functions/worker/upload-store.ts';
import { sample, sampleBody, sqsRecord } from '../../support/builders/builders.ts';
import { fakeTelemetry } from '../../support/fakes/fakes.ts';

const found: ArgyleAnswer = { kind: 'ok', body: { id: sample.userUpload, account: sample.account } };

describe('a worker with credentials for Argyle', () => {
  it('writes the base record first, then asks for the document and writes it', async () => {
    const { work, steps } = setUp({});
    expect(await work([sqsRecord(sampleBody())])).toEqual({ batchItemFailures: [] });
    expect(steps).toEqual(['base', `GET /user-uploads/${sample.userUpload}`, 'document']);
  });

  it('asks also after a stale event, whose first try may have got no answer', async () => {
    const { work, steps } = setUp({ applied: { kind: 'stale', isRemoved: false } });
    await work([sqsRecord(sampleBody())]);
    expect(steps).toHaveLength(3);
  });

  it.each(['applied', 'stale'] as const)('asks for no document that was removed: %s', async (kind) => {
    const { work, steps } = setUp({ applied: { kind, isRemoved: true } });
    expect(await work([sqsRecord(sampleBody())])).toEqual({ batchItemFailures: [] });
    expect(steps).toEqual(['base']);
  });

  it('takes a document that Argyle does not know for removed meanwhile: no error', async () => {
    const { work, steps, errors, measured } = setUp({ answer: { kind: 'not_found' } });
    expect(await work([sqsRecord(sampleBody())])).toEqual({ batchItemFailures: [] });
    expect([steps.at(-1), errors]).toEqual([`GET /user-uploads/${sample.userUpload}`, []]);
    expect(measured[0]?.metrics).toMatchObject({ Applied: 1, DocumentsGone: 1, DocumentsWritten: 0 });
  });

  it.each<[ArgyleAnswer, string, number]>([
    [{ kind: 'unavailable', status: 500 }, 'http_500', 10],
    [{ kind: 'unavailable', status: 429, retryAfterSeconds: 90 }, 'http_429', 90],
    [{ kind: 'unavailable', status: 429, retryAfterSeconds: 3 }, 'http_429', 10],
    [{ kind: 'unavailable' }, 'no_answer', 10],
    [{ kind: 'refused', status: 401 }, 'http_401', 10],
    [{ kind: 'ok', body: { id: 'another', account: 'account' } }, 'http_200', 10],
    [{ kind: 'ok', body: 'no upload' }, 'http_200', 10],
  ])('lets a message wait when Argyle says %j', async (answer, code, delaySeconds) => {
    const { work, steps, postponed, errors, measured } = setUp({ answer });
    const batch = [sqsRecord(sampleBody(), { receiveCount: 2 })];
    expect(await work(batch)).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-1' }] });
    expect(steps[0]).toBe('base');
    expect(postponed).toEqual([[{ receiptHandle: 'handle of message-1', delaySeconds }]]);
    expect(errors).toMatchObject([{ error: { code }, fields: { kind: 'retryable', reason: 'not_fetched' } }]);
    expect(measured[0]?.metrics).toMatchObject({ Applied: 0, FailedForNow: 1, DocumentsNotFetched: 1 });
  });

  it('lets a message wait when the credentials cannot be read, and says so', async () => {
    const unreadable = new Error('no such secret');
    const { work, errors } = setUp({ credentials: () => Promise.reject(unreadable) });
    expect(await work([sqsRecord(sampleBody())])).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-1' }] });
    expect(errors).toMatchObject([{ error: unreadable, fields: { kind: 'retryable', reason: 'not_fetched' } }]);
  });

  it('reports what its budget did not reach as failed, and the rest of the batch as done', async () => {
    const slow = '11111111-0000-0000-0000-000000000000';
    const { work, measured } = setUp({ slow, budgetMs: 100 });
    const batch = [
      sqsRecord(sampleBody(), { messageId: 'quick' }),
      sqsRecord(sampleBody({ userUpload: slow }), { messageId: 'slow' }),
    ];
    expect(await work(batch)).toEqual({ batchItemFailures: [{ itemIdentifier: 'slow' }] });
    expect(measured[0]?.metrics).toMatchObject({ Applied: 1, FailedForNow: 1 });
  });
});

type Setup = {
  applied?: ApplyOutcome;
  answer?: ArgyleAnswer;
  credentials?: () => Promise<never>;
  /** An upload about which Argyle says nothing until its caller gives up. */
  slow?: string;
  budgetMs?: number;
};

function setUp(setup: Setup) {
  const { applied = { kind: 'applied', isRemoved: false }, answer = found, budgetMs = batchBudgetMs } = setup;
  const steps: string[] = [];
  const postponed: (readonly Postponement[])[] = [];
  const { telemetry, measured, errors } = fakeTelemetry();
  const enrich = createEnrich({
    askArgyle: setup.credentials
      ? createAskArgyle('http://127.0.0.1:1', setup.credentials)
      : async (method, path, { signal }) => {
          steps.push(`${method} ${path}`);
          if (!setup.slow || !path.endsWith(setup.slow)) return answer;
          await setTimeout(60_000, undefined, signal ? { signal } : {}).catch(() => undefined);
          return { kind: 'unavailable' };
        },
    writeDocument: async () => {
      steps.push('document');
      return 'written';
    },
    nowMs: () => Date.parse(sample.receivedAt),
  });
  const worker = createWorker({
    eventType: sample.event,
    applyEvent: async () => {
      steps.push('base');
      return applied;
    },
    enrich,
    postponeMessages: async (messages) => {
      postponed.push(messages);
    },
    telemetry,
    nowMs: () => Date.parse(sample.receivedAt),
    random: () => 0,
    budgetMs,
  });
  return { work: (Records: SQSRecord[]) => worker({ Records }), steps, postponed, measured, errors };
}
