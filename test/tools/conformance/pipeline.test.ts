import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { records } from '../../../tools/conformance/checks/records.ts';
import { createReceiver, type Receiver } from '../../../tools/conformance/receiver.ts';
import { runSuite } from '../../../tools/conformance/suite.ts';
import { createTableObserver } from '../../../tools/conformance/table-observer.ts';
import { consoleView } from '../../../tools/local/wiring.ts';
import { startObservedPipeline } from './observed-pipeline.ts';

const secret = 'secret-of-the-conformance-test';

let observed: Awaited<ReturnType<typeof startObservedPipeline>>;
let receiver: Receiver;
beforeAll(async () => {
  observed = await startObservedPipeline(inject('assemblies').sandbox, secret);
  receiver = createReceiver({ url: new URL(observed.pipeline.webhookUrl), secret, pauseMs: 20 });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  receiver.close();
  await observed.pipeline.stop();
});

test('the local pipeline passes every check', { timeout: 120_000 }, async () => {
  const results = await runSuite(receiver, observed.observer);

  expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
});

test('the records of a stack can be looked at by the name of its table', { timeout: 60_000 }, async () => {
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', observed.pipeline.dynamodbEndpoint);
  const observer = createTableObserver(consoleView(observed.pipeline).tableName);
  const names = ['records each event of the catalogue in its slot', 'records nothing of what it refuses'];
  const checks = records.filter(({ name }) => names.includes(name));
  const results = await runSuite(receiver, observer, { checks });

  expect(results).toEqual(names.map((name) => ({ name, outcome: 'passed', milliseconds: expect.any(Number) })));
  expect(await observer.readRecord?.('c0ffee00-0000-0000-0000-000000000000')).toBeUndefined();
});
