import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { environment } from '../../functions/aws/environment.ts';
import { events, eventTypes } from '../../functions/domain/events.ts';
import { sqsRecord } from '../support/builders/builders.ts';
import { seededRandom, shuffled } from '../support/builders/seeded-random.ts';
import { startTestPipeline, type TestPipeline, until } from '../support/emulators/local-pipeline.ts';
import { newUpload, sign, webhookBody } from '../support/fakes/argyle-sender.ts';

const canary = 'canary-7f3a';
const secret = `${canary}-secret`;

let pipeline: TestPipeline;
beforeAll(async () => {
  pipeline = await startTestPipeline(secret);
});
afterAll(() => pipeline.stop());

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test('the local pipeline supports every resource type of the template', () => {
  expect(pipeline.warnings).toEqual([]);
});

test.each(eventTypes)('a signed %s becomes an upload record', async (event) => {
  const ids = newUpload();

  const answer = await pipeline.post(webhookBody(event, ids));
  await pipeline.drained();

  expect(answer).toMatchObject({ code: 200, body: { status: 'accepted' } });
  const { slot } = events[event];
  const expiry = slot === 'removedAt' ? { expiresAt: expect.any(Number) } : {};
  expect(await pipeline.readRecord(ids.userUpload)).toEqual({
    ...ids,
    [slot]: expect.stringMatching(isoTime),
    ...expiry,
  });
});

// A server that closes a connection just as the client reuses it looks like an outage.
test('an idle connection stays open for two minutes', async () => {
  const { headers } = await pipeline.post(webhookBody('user_uploads.added', newUpload()));
  expect(headers).toMatchObject({ 'keep-alive': 'timeout=120' });
});

test('600 deliveries, shuffled and with a third repeated, over 16 connections, result in correct records', async () => {
  const uploads = Array.from({ length: 80 }, newUpload);
  const deliveries = uploads.flatMap((ids) => eventTypes.map((event) => ({ event, ids })));
  const kept = deliveries.filter((_, index) => index % 7 !== 0);
  const bodies = shuffled([...kept, ...kept.filter((_, index) => index % 3 === 0)], seededRandom(20_261_124));

  const answers = await Promise.all(bodies.map(({ event, ids }) => pipeline.post(webhookBody(event, ids))));
  await pipeline.drained();

  expect(answers.filter(({ code }) => code !== 200)).toEqual([]);
  for (const ids of uploads) {
    const delivered = kept.filter((delivery) => delivery.ids === ids).map(({ event }) => events[event].slot);
    const record = (await pipeline.readRecord(ids.userUpload)) ?? {};
    const slots = Object.keys(record).filter((name) => name.endsWith('At') && name !== 'expiresAt');
    expect(slots.sort()).toEqual(delivered.sort());
    expect(record).toMatchObject(ids);
  }
  expect((await pipeline.queueStates()).filter(({ dead, visible }) => dead + visible > 0)).toEqual([]);
});

test('a body of exactly 512 KiB is accepted, and one byte more is answered 413', async () => {
  const ids = newUpload();
  const fill = (bytes: number) => webhookBody('user_uploads.added', ids, 'é'.repeat(8) + 'x'.repeat(bytes));
  const overhead = Buffer.byteLength(fill(0));

  expect(await pipeline.post(fill(512 * 1024 - overhead))).toMatchObject({ code: 200 });
  expect(await pipeline.post(fill(512 * 1024 - overhead + 1))).toMatchObject({
    code: 413,
    body: { status: 'too_large' },
  });
  await pipeline.drained();
  expect(await pipeline.readRecord(ids.userUpload)).toMatchObject(ids);
});

test('a body with characters that SQS does not allow is applied', async () => {
  const ids = newUpload();

  await pipeline.post(webhookBody('user_uploads.added', ids, 'Lohnabrechnung 😀\uffff'));
  await pipeline.drained();

  expect(await pipeline.readRecord(ids.userUpload)).toMatchObject(ids);
});

test("/healthz is answered 200, and other paths 404 with API Gateway's body", async () => {
  const health = await pipeline.fetchConsole('/healthz');
  const elsewhere = await pipeline.fetchConsole('/webhooks/argyle');

  expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
  expect([elsewhere.status, await elsewhere.json()]).toEqual([404, { message: 'Not Found' }]);
});

test.each(eventTypes)(
  'the worker of %s applies the good messages of a batch and sends exactly the others to the dead-letter queue',
  async (event) => {
    const receivedAt = new Date().toISOString();
    const uploads = Array.from({ length: 3 }, newUpload);
    const good = uploads.map((ids, index) =>
      sqsRecord(webhookBody(event, ids), { event, receivedAt, messageId: `good-${index}` }),
    );
    const otherEvent = eventTypes.find((type) => type !== event) ?? '';
    const other = newUpload();
    const poison = sqsRecord('{"data": "poison"}', { event, receivedAt, messageId: 'poison' });
    const misplaced = sqsRecord(webhookBody(otherEvent, other), {
      event: otherEvent,
      receivedAt,
      messageId: 'misplaced',
    });

    const answer = await invokeWorker(event, { Records: [poison, ...good, misplaced] });

    const { deadLetterUrl } = pipeline.queueOf(event);
    const letters = await pipeline.readMessages(deadLetterUrl);
    await pipeline.purge(deadLetterUrl);
    expect(answer).toEqual({ batchItemFailures: [] });
    const reasons = letters.map(({ Body, MessageAttributes }) => [Body, MessageAttributes?.reason?.StringValue]);
    expect(Object.fromEntries(reasons)).toEqual({ [poison.body]: 'unreadable', [misplaced.body]: 'wrong_event' });
    for (const ids of uploads)
      expect(await pipeline.readRecord(ids.userUpload)).toMatchObject({ ...ids, [events[event].slot]: receivedAt });
    expect(await pipeline.readRecord(other.userUpload)).toBeUndefined();
  },
);

test.each(eventTypes)('the worker of %s reports no failure for good messages, repeats included', async (event) => {
  const receivedAt = new Date().toISOString();
  const record = sqsRecord(webhookBody(event, newUpload()), { event, receivedAt });

  expect(await invokeWorker(event, { Records: [record] })).toEqual({ batchItemFailures: [] });
  expect(await invokeWorker(event, { Records: [record, record] })).toEqual({ batchItemFailures: [] });
});

// These tests run last, because the first of them leaves messages in the dead-letter queues.
test('no log line of any function contains a body, a secret or a signature', async () => {
  const good = eventTypes.map((event) => webhookBody(event, newUpload(), `${canary}.pdf`));
  const odd = [
    `${canary} is not JSON`,
    `{"event": "${canary}"}`,
    webhookBody('user_uploads.added', { ...newUpload(), user: canary }),
  ];
  const signatures = await Promise.all([...good, ...odd].map((body) => sign(body, secret)));
  const wrong = `${'c0ffee'.repeat(21)}ab`;

  const before = pipeline.logLines.length;
  for (const body of [...good, ...odd]) await pipeline.post(body);
  await pipeline.post(`${canary} unsigned`, { 'X-Argyle-Signature': wrong });
  await pipeline.post(webhookBody('user_uploads.added', newUpload(), canary.repeat(60_000)));
  for (const event of eventTypes) await pipeline.putOnQueue(event, `{"poison": "${canary}"}`, { receivedAt: canary });
  await until(async () =>
    (await pipeline.queueStates()).every(({ event, dead }) => event === 'quarantine' || dead > 0),
  );

  // One line for each request, at least one for each worker, and an error line for each receive of a poison message.
  const lines = pipeline.logLines.slice(before);
  expect(lines.length).toBeGreaterThan(good.length + odd.length + eventTypes.length);
  expect(new Set(lines.map((line) => line.split(' ')[0])).size).toBe(eventTypes.length + 1);
  const leaks = pipeline.logLines.filter((line) =>
    [canary, wrong, ...signatures].some((marker) => line.includes(marker)),
  );
  expect(leaks).toEqual([]);
});

test('each request and each batch prints one embedded-metric line', async () => {
  const metricLines = () => pipeline.logLines.filter((line) => line.includes('"CloudWatchMetrics"'));
  const before = metricLines().length;

  await pipeline.post(webhookBody('user_uploads.added', newUpload()));
  await pipeline.drained();

  const lines = metricLines()
    .slice(before)
    .map((line) => JSON.parse(line.slice(line.indexOf('{'))));
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatchObject({ service: 'ingest', Accepted: 1, status: 'accepted', event: 'user_uploads.added' });
  expect(lines[1]).toMatchObject({
    service: 'user_uploads.added',
    Applied: 1,
    Stale: 0,
    FailedForNow: 0,
    FailedForGood: 0,
  });
});

async function invokeWorker(event: string, batch: SQSEvent): Promise<SQSBatchResponse> {
  const worker = pipeline.template
    .ofType('AWS::Lambda::Function')
    .find(({ properties }) => properties.Environment?.Variables?.[environment.eventType] === event);
  return (await pipeline.functions.get(worker?.logicalId ?? '')?.invoke(batch)) as SQSBatchResponse;
}
