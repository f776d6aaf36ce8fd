import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EventType, events, eventTypes } from '../../functions/domain/events.ts';
import { seededRandom, shuffled } from '../support/builders/seeded-random.ts';
import { startTestPipeline, type TestPipeline } from '../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';

let pipeline: TestPipeline;
beforeAll(async () => {
  pipeline = await startTestPipeline();
});
afterAll(() => pipeline.stop());

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('the local pipeline', () => {
  test('knows every resource type of the template', () => {
    expect(pipeline.warnings).toEqual([]);
  });

  test.each(eventTypes)('turns a signed %s into an upload record', async (event) => {
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

  // A connection that is closed just when somebody uses it again looks like an outage.
  test('keeps idle connections for two minutes', async () => {
    const { headers } = await pipeline.post(webhookBody('user_uploads.added', newUpload()));
    expect(headers).toMatchObject({ 'keep-alive': 'timeout=120' });
  });

  test('makes every record right from 600 deliveries, shuffled and with a third repeated, over 16 connections', async () => {
    const uploads = Array.from({ length: 80 }, newUpload);
    const deliveries = uploads.flatMap((ids) => eventTypes.map((event) => ({ event, ids })));
    const isKept = (index: number) => index % 7 !== 0;
    const kept = deliveries.filter((_, index) => isKept(index));
    const bodies = shuffled([...kept, ...kept.filter((_, index) => index % 3 === 0)], seededRandom(20_261_124));

    const answers = await Promise.all(bodies.map(({ event, ids }) => pipeline.post(webhookBody(event, ids))));
    await pipeline.drained();

    expect(answers.filter(({ code }) => code !== 200)).toEqual([]);
    for (const ids of uploads) {
      const happened = kept.filter((delivery) => delivery.ids === ids).map(({ event }) => slotOf(event));
      const record = (await pipeline.readRecord(ids.userUpload)) ?? {};
      expect(
        Object.keys(record)
          .filter((name) => name.endsWith('At') && name !== 'expiresAt')
          .sort(),
      ).toEqual(happened.sort());
      expect(record).toMatchObject(ids);
    }
    expect((await pipeline.queueStates()).filter(({ dead, visible }) => dead + visible > 0)).toEqual([]);
  });

  test('keeps a body of exactly 512 KiB and refuses one byte more with 413', async () => {
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

  test('applies a body with characters that SQS does not take', async () => {
    const ids = newUpload();

    await pipeline.post(webhookBody('user_uploads.added', ids, 'Lohnabrechnung 😀'));
    await pipeline.drained();

    expect(await pipeline.readRecord(ids.userUpload)).toMatchObject(ids);
  });

  test('answers /healthz, and 404 with the body of API Gateway elsewhere', async () => {
    const health = await pipeline.fetchConsole('/healthz');
    const elsewhere = await pipeline.fetchConsole('/webhooks/argyle');

    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
    expect([elsewhere.status, await elsewhere.json()]).toEqual([404, { message: 'Not Found' }]);
  });
});

function slotOf(event: EventType): string {
  return events[event].slot;
}
