import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import { startTestPipeline, type TestPipeline, until } from '../support/emulators/local-pipeline.ts';
import { newUpload, sign, webhookBody } from '../support/fakes/argyle-sender.ts';

const canary = 'canary-7f3a';
const secret = `${canary}-secret`;

let pipeline: TestPipeline;
beforeAll(async () => {
  pipeline = await startTestPipeline(secret);
});
afterAll(() => pipeline.stop());

test('no log line of any function holds a body, a secret or a signature', async () => {
  const good = eventTypes.map((event) => webhookBody(event, newUpload(), `${canary}.pdf`));
  const odd = [
    `${canary} is no JSON`,
    `{"event": "${canary}"}`,
    webhookBody('user_uploads.added', { ...newUpload(), user: canary }),
  ];
  const signatures = await Promise.all([...good, ...odd].map((body) => sign(body, secret)));
  const wrong = `${'c0ffee'.repeat(21)}ab`;

  for (const body of [...good, ...odd]) await pipeline.post(body);
  await pipeline.post(`${canary} unsigned`, { 'X-Argyle-Signature': wrong });
  await pipeline.post(webhookBody('user_uploads.added', newUpload(), canary.repeat(60_000)));
  for (const event of eventTypes) await pipeline.putOnQueue(event, `{"poison": "${canary}"}`, { receivedAt: canary });
  await until(async () =>
    (await pipeline.queueStates()).every(({ event, dead }) => event === 'quarantine' || dead > 0),
  );

  // One line per request, at least one per worker, and an error line for each try of a poison message.
  expect(pipeline.logLines.length).toBeGreaterThan(good.length + odd.length + eventTypes.length);
  expect(new Set(pipeline.logLines.map((line) => line.split(' ')[0])).size).toBe(eventTypes.length + 1);
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
