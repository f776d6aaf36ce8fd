import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { decodeBody } from '../../../functions/domain/message-body.ts';
import { batchBudgetMs, createWorker } from '../../../functions/worker/handler.ts';
import { sample, sampleBody, signedRequest, sqsRecord } from '../../support/builders/builders.ts';
import { queueUrls, setUpIngest } from '../../support/builders/ingest.ts';
import { oneOf, seededRandom } from '../../support/builders/seeded-random.ts';
import { fakeSecrets, fakeTelemetry } from '../../support/fakes/fakes.ts';
import { fuzzRequest, fuzzText } from './inputs.ts';

// `npm test` tries 20,000 inputs, half of them per entry; `npm run test:fuzz` a million.
const cases = Number(process.env.FUZZ_CASES ?? 20_000) / 2;
const seed = Number(process.env.FUZZ_SEED ?? 20_261_124);
const secret = 'MARKER-secret';
const good = sampleBody({ name: 'MARKER-name' });
// What SQS takes: a body of these characters, and not an empty one.
const sendable = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD]+$/;
const isKnownQueue = (queueUrl: string) => ['quarantine queue', ...Object.values(queueUrls)].includes(queueUrl);
const limit = { timeout: 60_000 + cases * 5 };

test(`ingest keeps what is signed and nothing else, whatever it is (seed ${seed})`, limit, async () => {
  const random = seededRandom(seed);
  const heap = watchHeap();
  for (let index = 0; index < cases; index += 1) {
    const { ingest, sent, measured, errors } = setUpIngest({ secrets: fakeSecrets([secret]) });
    const { body, signature, isSigned } = fuzzRequest(good, secret, random);

    const { statusCode } = await ingest(signedRequest(body, { signature }));

    const kept = sent.map(({ message }) =>
      Buffer.from(decodeBody(message.body, message.attributes.encoding) ?? '').toString('hex'),
    );
    const expected = isSigned ? { statusCode: 200, kept: [body.toString('hex')] } : { statusCode: 401, kept: [] };
    // Compared without `expect`, whose bookkeeping would be most of the time and memory of a million cases.
    const isSendable = sent.every(({ queueUrl, message }) => isKnownQueue(queueUrl) && sendable.test(message.body));
    if (
      !isSendable ||
      statusCode !== expected.statusCode ||
      kept.join() !== expected.kept.join() ||
      errors.length > 0
    ) {
      expect({ index, body: body.toString('hex'), isSendable, statusCode, kept, errors }).toEqual({
        index,
        ...expected,
      });
    }
    if (JSON.stringify(measured).includes('MARKER')) expect(measured).not.toContain('MARKER');
    await heap.check(index);
  }
});

test(`a worker answers for every message, whatever it is (seed ${seed})`, limit, async () => {
  const random = seededRandom(seed);
  const heap = watchHeap();
  for (let index = 0; index < cases; index += 1) {
    const { telemetry, measured, errors } = fakeTelemetry();
    const applied: string[] = [];
    const worker = createWorker({
      eventType: sample.event,
      applyEvent: async ({ userUpload }) => {
        applied.push(userUpload);
        return { kind: 'applied', isRemoved: false };
      },
      postponeMessages: async () => undefined,
      telemetry,
      nowMs: Date.now,
      random,
      budgetMs: batchBudgetMs,
    });
    const record = sqsRecord(
      fuzzRequest(good, secret, random).body.toString(oneOf(['utf8', 'base64', 'latin1'], random)),
      {
        event: random() < 0.5 ? fuzzText(random) : oneOf([sample.event, ...eventTypes], random),
        receivedAt: random() < 0.3 ? fuzzText(random) : new Date().toISOString(),
        deliveryId: fuzzText(random),
        ...(random() < 0.5 && { encoding: oneOf(['base64', 'gzip', fuzzText(random)], random) }),
      },
    );

    const { batchItemFailures } = await worker({ Records: [record] });

    // Either applied, or reported with exactly one error line: never both, never neither.
    if (applied.length + batchItemFailures.length !== 1 || errors.length !== batchItemFailures.length) {
      expect({ index, record, applied, batchItemFailures, errors }).toBe('applied or reported');
    }
    if (JSON.stringify(measured).includes('MARKER')) expect(measured).not.toContain('MARKER');
    await heap.check(index);
  }
});

// Memory must not grow with the number of inputs: looked at a tenth of the way in, and at the end.
function watchHeap() {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let earlyBytes = 0;
  const usedBytes = async () => {
    await setImmediate();
    collect();
    return process.memoryUsage().heapUsed;
  };
  return {
    check: async (index: number) => {
      if (index === Math.floor(cases / 10)) earlyBytes = await usedBytes();
      if (index === cases - 1) expect((await usedBytes()) - earlyBytes).toBeLessThan(16 * 1024 * 1024);
    },
  };
}
