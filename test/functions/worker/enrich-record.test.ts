import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type ArgyleAnswer, createAskArgyle } from '../../../functions/argyle/argyle-api.ts';
import { createEnrich, type EnrichmentDependencies } from '../../../functions/worker/enrich-record.ts';
import type { ApplyOutcome } from '../../../functions/worker/upload-store.ts';
import { sample, sampleBody, sqsRecord } from '../../support/builders/builders.ts';
import { failed, setUpWorker } from '../../support/builders/worker.ts';

const found: ArgyleAnswer = { kind: 'ok', body: { id: sample.userUpload, account: sample.account } };
const request = `GET /user-uploads/${sample.userUpload}`;

it('writes the base record, requests the document and writes it, in this order', async () => {
  const { work, steps } = setUp();
  expect(await work([sqsRecord(sampleBody())])).toEqual(failed());
  expect(steps).toEqual(['base', request, 'document']);
});

it('requests the document after a stale event too, whose first request may have failed', async () => {
  const { work, steps } = setUp({ applied: { kind: 'stale', isRemoved: false } });
  await work([sqsRecord(sampleBody())]);
  expect(steps).toEqual(['base', request, 'document']);
});

it.each(['applied', 'stale'] as const)('does not request a removed document: %s', async (kind) => {
  const { work, steps } = setUp({ applied: { kind, isRemoved: true } });
  expect(await work([sqsRecord(sampleBody())])).toEqual(failed());
  expect(steps).toEqual(['base']);
});

it('treats a 404 as a removed document, without an error', async () => {
  const { work, steps, errors, measured } = setUp({ askArgyle: async () => ({ kind: 'not_found' }) });
  expect(await work([sqsRecord(sampleBody())])).toEqual(failed());
  expect([steps, errors]).toEqual([['base'], []]);
  expect(measured[0]?.metrics).toMatchObject({ Applied: 1, DocumentsGone: 1, DocumentsWritten: 0 });
});

it.each<[ArgyleAnswer, string, number]>([
  [{ kind: 'unavailable', status: 500 }, 'http_500', 10],
  [{ kind: 'unavailable', status: 429, retryAfterSeconds: 90 }, 'http_429', 90],
  [{ kind: 'unavailable', status: 429, retryAfterSeconds: 3 }, 'http_429', 10],
  [{ kind: 'unavailable', status: 429, retryAfterSeconds: 0 }, 'http_429', 10],
  [{ kind: 'unavailable' }, 'no_answer', 10],
  [{ kind: 'refused', status: 401 }, 'http_401', 10],
  [{ kind: 'ok', body: { id: 'another', account: 'account' } }, 'http_200', 10],
  [{ kind: 'ok', body: 'no upload' }, 'http_200', 10],
])('postpones the message after its base write when Argyle answers %j', async (answer, code, delaySeconds) => {
  const { work, steps, postponed, errors, measured } = setUp({ askArgyle: async () => answer });
  expect(await work([sqsRecord(sampleBody(), { receiveCount: 2 })])).toEqual(failed('message-1'));
  expect(steps).toEqual(['base']);
  expect(postponed).toEqual([[{ receiptHandle: 'handle of message-1', delaySeconds }]]);
  expect(errors).toMatchObject([{ error: { code }, fields: { kind: 'retryable', reason: 'not_fetched' } }]);
  expect(measured[0]?.metrics).toMatchObject({ Applied: 0, FailedForNow: 1, DocumentsNotFetched: 1 });
});

it('gives up the message after six hours, and does not count its document as one that will be fetched later', async () => {
  const { work, deadLetters, measured } = setUp({ askArgyle: async () => ({ kind: 'unavailable', status: 500 }) });
  const sentAt = new Date(Date.parse(sample.receivedAt) - 6 * 3_600_000 - 1).toISOString();
  expect(await work([sqsRecord(sampleBody(), { sentAt })])).toEqual(failed());
  expect(deadLetters).toEqual([{ messageId: 'message-1', reason: 'not_fetched' }]);
  // The alarm on the worker's errors subtracts DocumentsNotFetched from FailedForNow.
  expect(measured[0]?.metrics).toMatchObject({ FailedForNow: 0, FailedForGood: 1, DocumentsNotFetched: 0 });
});

it('postpones the message when the credentials cannot be read', async () => {
  const unreadable = new Error('no such secret');
  const { work, errors } = setUp({
    askArgyle: createAskArgyle('http://127.0.0.1:1', () => Promise.reject(unreadable)),
  });
  expect(await work([sqsRecord(sampleBody())])).toEqual(failed('message-1'));
  expect(errors).toMatchObject([{ error: unreadable, fields: { kind: 'retryable', reason: 'not_fetched' } }]);
});

it('fails only the messages that exceed the time budget', async () => {
  const slow = '11111111-0000-0000-0000-000000000000';
  const { work, measured } = setUp({
    askArgyle: async (_, path, { signal }) => {
      if (!path.endsWith(slow)) return found;
      await setTimeout(60_000, undefined, signal ? { signal } : {}).catch(() => undefined);
      return { kind: 'unavailable' };
    },
    budgetMs: 100,
  });
  const batch = [
    sqsRecord(sampleBody(), { messageId: 'quick' }),
    sqsRecord(sampleBody({ userUpload: slow }), { messageId: 'slow' }),
  ];
  expect(await work(batch)).toEqual(failed('slow'));
  expect(measured[0]?.metrics).toMatchObject({ Applied: 1, FailedForNow: 1 });
});

type Setup = {
  readonly applied?: ApplyOutcome;
  readonly askArgyle?: EnrichmentDependencies['askArgyle'];
  readonly budgetMs?: number;
};

/** Creates a worker with Argyle credentials. `steps` are its writes, and its requests unless there is another `askArgyle`. */
function setUp({ applied = { kind: 'applied', isRemoved: false }, askArgyle, budgetMs }: Setup = {}) {
  const steps: string[] = [];
  const enrich = createEnrich({
    askArgyle:
      askArgyle ??
      (async (method, path) => {
        steps.push(`${method} ${path}`);
        return found;
      }),
    writeDocument: async () => {
      steps.push('document');
      return 'written';
    },
    nowMs: () => Date.parse(sample.receivedAt),
  });
  const applyEvent = async () => {
    steps.push('base');
    return applied;
  };
  return { ...setUpWorker({ applyEvent, enrich, ...(budgetMs && { budgetMs }) }), steps };
}
