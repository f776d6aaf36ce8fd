import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ArgyleAnswer, createAskArgyle } from '../../../functions/argyle/argyle-api.ts';
import { createEnrich, type EnrichmentDependencies } from '../../../functions/worker/enrich-record.ts';
import type { ApplyOutcome } from '../../../functions/worker/upload-store.ts';
import { sample, sampleBody, sqsRecord } from '../../support/builders/builders.ts';
import { failed, setUpWorker } from '../../support/builders/worker.ts';
import { openUploadTable } from '../../support/emulators/upload-table.ts';

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

describe('a document that Argyle does not know', () => {
  const notFound = { askArgyle: async () => ({ kind: 'not_found' }) as const };
  const second = 1_000;
  const minute = 60 * second;

  it.each([
    { receiveCount: 1, delaySeconds: 5 },
    { receiveCount: 2, delaySeconds: 10 },
  ])('is requested again soon, without an error: $receiveCount', async ({ receiveCount, delaySeconds }) => {
    const { work, steps, postponed, errors, measured } = setUp({ ...notFound, ageMs: minute - second });
    expect(await work([sqsRecord(sampleBody(), { receiveCount })])).toEqual(failed('message-1'));
    expect(postponed).toEqual([[{ receiptHandle: 'handle of message-1', delaySeconds }]]);
    expect([steps, errors]).toEqual([['base'], []]);
    const metrics = { Applied: 1, FailedForNow: 0, FailedForGood: 0, DocumentsGone: 0, DocumentsNotFetched: 0 };
    expect(measured[0]?.metrics).toMatchObject(metrics);
  });

  it.each([
    ['at the third request', 3, 10 * second],
    ['at once when its webhook arrived over a minute ago, as after a redrive', 1, minute],
    ['at once when its webhook seems to arrive in the future', 1, -minute],
  ])('counts as removed %s', async (_, receiveCount, ageMs) => {
    const { work, steps, postponed, errors, measured } = setUp({ ...notFound, ageMs });
    expect(await work([sqsRecord(sampleBody(), { receiveCount })])).toEqual(failed());
    expect([steps, errors, postponed]).toEqual([['base'], [], []]);
    expect(measured[0]?.metrics).toMatchObject({ Applied: 1, DocumentsGone: 1, DocumentsWritten: 0 });
  });

  it.each([2, 3])('counts its message once, and not as a repeat at request %i', async (receiveCount) => {
    const { work, measured } = setUp({ ...notFound, ageMs: second, applied: { kind: 'stale', isRemoved: false } });
    await work([sqsRecord(sampleBody(), { receiveCount })]);
    expect(measured[0]?.metrics).toMatchObject({ Applied: 0, Stale: 0, FailedForNow: 0 });
  });

  it('counts a repeat of its webhook as a repeat', async () => {
    const { work, measured } = setUp({ ...notFound, ageMs: second, applied: { kind: 'stale', isRemoved: false } });
    await work([sqsRecord(sampleBody(), { receiveCount: 1 })]);
    expect(measured[0]?.metrics).toMatchObject({ Applied: 0, Stale: 1 });
  });

  it('is stored when it appears at the second request', async () => {
    const answers: ArgyleAnswer[] = [{ kind: 'not_found' }, found];
    const { work, steps } = setUp({ askArgyle: async () => answers.shift() ?? found });
    expect(await work([sqsRecord(sampleBody())])).toEqual(failed('message-1'));
    expect(await work([sqsRecord(sampleBody(), { receiveCount: 2 })])).toEqual(failed());
    expect(steps).toEqual(['base', 'base', 'document']);
  });
});

describe('requests for one document', () => {
  const message = (index: number) => sqsRecord(sampleBody(), { messageId: `message-${index}` });
  const requests = (steps: readonly string[]) => steps.filter((step) => step === request).length;

  it('are one for all messages of a batch', async () => {
    const { work, steps, measured } = setUp();
    const other = '11111111-0000-0000-0000-000000000000';
    const batch = [message(1), message(2), sqsRecord(sampleBody({ userUpload: other })), message(3)];
    expect(await work(batch)).toEqual(failed());
    expect([requests(steps), steps.includes(`GET /user-uploads/${other}`)]).toEqual([1, true]);
    expect(measured[0]?.metrics).toMatchObject({ Applied: 4, DocumentsWritten: 4 });
    await work([message(4)]);
    expect(requests(steps)).toBe(2);
  });

  it('that fail postpone all of its messages in the batch', async () => {
    const { work } = setUp({ askArgyle: async () => ({ kind: 'unavailable' }) });
    expect(await work([message(1), message(2)])).toEqual(failed('message-1', 'message-2'));
  });

  it.each<[string, ApplyOutcome['kind'], string, number]>([
    ['are not sent when the document was fetched after the message was received', 'applied', at(0), 0],
    ['are not sent for a repeated event either', 'stale', at(1), 0],
    ['are sent when the document was fetched before, as for an event that reconciliation found', 'stale', at(-1), 1],
    ['are sent when the time of the fetch is in the future', 'stale', at(20_000), 1],
  ])('%s', async (_, kind, documentFetchedAt, count) => {
    const applied = { kind, isRemoved: false, documentFetchedAt } as ApplyOutcome;
    const { work, steps } = setUp({ applied, ageMs: 10_000 });
    expect(await work([message(1)])).toEqual(failed());
    expect(requests(steps)).toBe(count);
  });

  it('are one for a hundred replays of a webhook that arrive before the first request', async () => {
    const table = await openUploadTable();
    onTestFinished(table.close);
    let count = 0;
    const enrich = createEnrich({
      askArgyle: async () => {
        count += 1;
        return found;
      },
      writeDocument: table.writeDocument,
      nowMs: () => Date.parse(at(10_000)),
    });
    const { work } = setUpWorker({ applyEvent: table.applyEvent, enrich, nowMs: () => Date.parse(at(10_000)) });
    for (let batch = 0; batch < 10; batch += 1) {
      const replays = Array.from({ length: 10 }, (_, index) =>
        sqsRecord(sampleBody(), { messageId: `${batch}-${index}`, receivedAt: at(10 * batch + index) }),
      );
      expect(await work(replays)).toEqual(failed());
    }
    expect(count).toBe(1);
  });
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
  /** How long ago the webhook arrived. */
  readonly ageMs?: number;
};

/** The time that is this long after the receipt time of the sample. */
function at(ms: number): string {
  return new Date(Date.parse(sample.receivedAt) + ms).toISOString();
}

/** Creates a worker with Argyle credentials. `steps` are its writes, and its requests unless there is another `askArgyle`. */
function setUp({ applied = { kind: 'applied', isRemoved: false }, askArgyle, budgetMs, ageMs = 0 }: Setup = {}) {
  const nowMs = () => Date.parse(at(ageMs));
  const steps: string[] = [];
  const enrich = createEnrich({
    askArgyle:
      askArgyle ??
      (async (method, path) => {
        steps.push(`${method} ${path}`);
        return { kind: 'ok', body: { id: path.replace('/user-uploads/', ''), account: sample.account } };
      }),
    writeDocument: async () => {
      steps.push('document');
      return 'written';
    },
    nowMs,
  });
  const applyEvent = async () => {
    steps.push('base');
    return applied;
  };
  return { ...setUpWorker({ applyEvent, enrich, nowMs, ...(budgetMs && { budgetMs }) }), steps };
}
