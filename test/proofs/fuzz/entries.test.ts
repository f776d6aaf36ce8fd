import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { marshall } from '@aws-sdk/util-dynamodb';
import { expect, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { decodeBody } from '../../../functions/domain/message-body.ts';
import { readUserUpload } from '../../../functions/domain/user-upload.ts';
import { batchBudgetMs, createWorker } from '../../../functions/worker/handler.ts';
import { sample, sampleBody, signedRequest, sqsRecord } from '../../support/builders/builders.ts';
import { queueUrls, setUpIngest } from '../../support/builders/ingest.ts';
import { oneOf, seededRandom } from '../../support/builders/seeded-random.ts';
import { fakeSecrets, fakeTelemetry } from '../../support/fakes/fakes.ts';
import { fuzzRequest, fuzzText, fuzzUserUpload } from './inputs.ts';

// `npm test` tries 10,000 inputs per entry; `npm run proof -- fuzz` a million.
const cases = Number(process.env.FUZZ_CASES ?? 20_000) / 2;
const seed = Number(process.env.FUZZ_SEED ?? 20_261_124);
const secret = 'MARKER-secret';
const validBody = sampleBody({ name: 'MARKER-name' });
// SQS accepts only bodies of these characters, and no empty body.
const sendable = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD]+$/;
const isKnownQueue = (queueUrl: string) => ['quarantine queue', ...Object.values(queueUrls)].includes(queueUrl);
// DynamoDB's maximum for an item is 400 KB. A character takes at most six in JSON.
const maxRecordCharacters = 400_000;
const limit = { timeout: 60_000 + cases * 5 };

test(`ingest keeps every signed body and no other (seed ${seed})`, limit, () =>
  forEachCase(async (random, index) => {
    const { ingest, sent, measured, errors } = setUpIngest({ secrets: fakeSecrets([secret]) });
    const { body, signature, isSigned } = fuzzRequest(validBody, secret, random);

    const { statusCode } = await ingest(signedRequest(body, { signature }));

    const kept = sent.map(({ message: { body, attributes } }) =>
      Buffer.from(decodeBody(body, attributes.encoding) ?? '').toString('hex'),
    );
    const isSendable = sent.every(({ queueUrl, message }) => isKnownQueue(queueUrl) && sendable.test(message.body));
    const expected = isSigned ? { statusCode: 200, kept: [body.toString('hex')] } : { statusCode: 401, kept: [] };
    expectFast(
      { statusCode, kept, isSendable, errors },
      { ...expected, isSendable: true, errors: [] },
      { index, body },
    );
    expectFast({ isMarked: JSON.stringify(measured).includes('MARKER') }, { isMarked: false }, { index, measured });
  }),
);

test(
  `a worker either applies a message or sends it to the dead-letter queue with one error line (seed ${seed})`,
  limit,
  () =>
    forEachCase(async (random, index) => {
      const { telemetry, measured, errors } = fakeTelemetry();
      const applied: string[] = [];
      const dead: string[] = [];
      const worker = createWorker({
        eventType: sample.event,
        applyEvent: async ({ userUpload }) => {
          applied.push(userUpload);
          return { kind: 'applied', isRemoved: false };
        },
        postponeMessages: async () => undefined,
        sendDeadLetter: async ({ body }) => {
          dead.push(body);
        },
        telemetry,
        nowMs: Date.now,
        random,
        budgetMs: batchBudgetMs,
      });
      const { body } = fuzzRequest(validBody, secret, random);
      const record = sqsRecord(body.toString(oneOf(['utf8', 'base64', 'latin1'], random)), {
        event: random() < 0.5 ? fuzzText(random) : oneOf([sample.event, ...eventTypes], random),
        receivedAt: random() < 0.3 ? fuzzText(random) : new Date().toISOString(),
        deliveryId: fuzzText(random),
        ...(random() < 0.5 && { encoding: oneOf(['base64', 'gzip', fuzzText(random)], random) }),
      });

      const { batchItemFailures } = await worker({ Records: [record] });

      const failed = batchItemFailures.length;
      const isMarked = JSON.stringify(measured).includes('MARKER');
      const seen = { answers: applied.length + dead.length, failed, errorLines: errors.length, isMarked };
      expectFast(seen, { answers: 1, failed: 0, errorLines: dead.length, isMarked: false }, { index, record });
    }),
);

test(
  `every entry of Argyle's list is either read or unreadable, and what was read fits a record (seed ${seed})`,
  limit,
  () =>
    forEachCase(async (random, index) => {
      const entry = fuzzUserUpload(random);

      const upload = readUserUpload(entry);

      if (upload === undefined) return;
      const { authenticityScore = 0 } = upload.document;
      const isScore = Number.isInteger(authenticityScore) && authenticityScore >= 0 && authenticityScore <= 100;
      const isSmall = JSON.stringify(marshall(upload.document)).length < maxRecordCharacters;
      expectFast({ isScore, isSmall }, { isScore: true, isSmall: true }, { index });
    }),
);

// Runs all cases, and checks that memory does not grow with their number.
async function forEachCase(check: (random: () => number, index: number) => Promise<void>): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const usedBytes = async () => {
    await setImmediate();
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const random = seededRandom(seed);
  let earlyBytes = 0;
  for (let index = 0; index < cases; index += 1) {
    await check(random, index);
    if (index === Math.floor(cases / 10)) earlyBytes = await usedBytes();
  }
  expect((await usedBytes()) - earlyBytes).toBeLessThan(16 * 1024 * 1024);
}

// The bookkeeping of `expect` would take most of the time and memory of a million cases.
function expectFast(actual: object, expected: object, input: object): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) expect({ ...actual, input }).toEqual({ ...expected, input });
}
