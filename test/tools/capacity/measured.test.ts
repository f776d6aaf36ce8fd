import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { readPrinted } from '../../../tools/capacity/printed.ts';
import { startTestPipeline, type TestPipeline, until } from '../../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../../support/fakes/argyle-sender.ts';

let pipeline: TestPipeline;
beforeAll(async () => {
  pipeline = await startTestPipeline();
});
afterAll(() => pipeline.stop());

test('a webhook makes the calls and the lines that the cost is reckoned with', async () => {
  // Ingest has read its secret by then.
  for (let number = 0; number < 8; number += 1) await pipeline.post(webhookBody('user_uploads.added', newUpload()));
  await pipeline.drained();
  const [calls, lines] = [pipeline.calls.length, pipeline.logLines.length];

  for (const event of eventTypes) await pipeline.post(webhookBody(event, newUpload()));
  await pipeline.drained();
  await until(async () => pipeline.logLines.length >= lines + 2 * eventTypes.length);

  const actions = pipeline.calls.slice(calls).map(({ action }) => action);
  const count = (action: string) => actions.filter((made) => made === action).length;
  expect({ sends: count('SendMessage'), writes: count('UpdateItem') }).toEqual({
    sends: eventTypes.length,
    writes: eventTypes.length,
  });
  expect(actions.filter((action) => !/^(SendMessage|UpdateItem|GetSecretValue)$/.test(action))).toEqual([]);
  // An execution environment reads three stages.
  expect(count('GetSecretValue') % 3).toBe(0);
  expect(pipeline.logLines.slice(lines)).toHaveLength(2 * eventTypes.length);
});

test('a printed line counts as it would with ids of API Gateway and a usual duration', () => {
  const line = (deliveryIds: string, DurationMs: number) =>
    JSON.stringify({
      _aws: { CloudWatchMetrics: [{ Namespace: 'stack', Dimensions: [['service']], Metrics: [{ Name: 'Applied' }] }] },
      ...{ service: 'worker', Applied: 1, DurationMs, records: '2', deliveryIds },
    });
  const short = readPrinted(line('a b', 1));
  const long = readPrinted(line(`${'a'.repeat(36)} ${'b'.repeat(36)}`, 12_345));
  expect(short).toEqual(long);
  expect(short).toMatchObject({ event: 'worker', records: 2, metrics: ['stack service=worker Applied'] });
  expect(short?.bytes).toBe(line(`${'i'.repeat(16)} ${'i'.repeat(16)}`, 12).length);
  expect(readPrinted('START RequestId')).toBeUndefined();
  expect(readPrinted('{"level":"ERROR"}')).toBeUndefined();
});
