import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createReceiver, type Receiver } from '../../../tools/conformance/receiver.ts';
import { runSuite, suite } from '../../../tools/conformance/suite.ts';
import { runJson } from '../cli/run.ts';
import { startObservedPipeline } from './observed-pipeline.ts';

const secret = 'secret-of-the-conformance-test';

let observed: Awaited<ReturnType<typeof startObservedPipeline>>;
let receiver: Receiver;
beforeAll(async () => {
  observed = await startObservedPipeline(inject('assemblies').sandbox, secret);
  receiver = createReceiver({ url: new URL(observed.pipeline.webhookUrl), secret, pauseMs: 20 });
});
afterAll(async () => {
  receiver.close();
  await observed.pipeline.stop();
});

// uploads check reads records. Only an observer inside the pipeline can see the rest.
const insideOnly = suite.filter(({ needs }) => needs.some((need) => need !== 'readRecord'));

test('the local pipeline passes all other checks through uploads --local check', async () => {
  const { port } = new URL(observed.pipeline.webhookUrl);
  const report = await runJson(`--local --port ${port} check`);

  const notObservable = insideOnly.length;
  expect(report).toMatchObject({ passed: suite.length - notObservable, failed: 0, notObservable });
});

// Last, because these disturb the store of the secret. For ten seconds afterwards, ingest cannot refuse a signature.
test('the local pipeline passes the checks that need an observer inside', async () => {
  const results = await runSuite(receiver, observed.observer, { checks: insideOnly });

  expect(results).toHaveLength(insideOnly.length);
  expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
});
