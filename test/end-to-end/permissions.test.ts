import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import { newUpload, webhookBody } from '../support/argyle-sender.ts';
import { startTestPipeline, type TestPipeline, until } from '../support/local-pipeline.ts';
import { forbiddenCalls, neededFor, permissionsOf, textOf } from '../support/role-policies.ts';

let pipeline: TestPipeline;
let needed: ReadonlySet<string>;
beforeAll(async () => {
  pipeline = await startTestPipeline();
  await provokeEveryCall();
  needed = new Set(pipeline.calls.map((call) => textOf(neededFor(call, pipeline))));
});
afterAll(() => pipeline.stop());

// The event source poller acts with the worker's role, but not from its code.
const ofThePoller = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

test('every call that the functions make is allowed by their roles', () => {
  expect(needed.size).toBeGreaterThan(eventTypes.length * 3);
  expect(forbiddenCalls(pipeline.calls, pipeline)).toEqual([]);
});

test("every permission of the roles is used by the functions, the poller's excepted", () => {
  const unused = permissionsOf(pipeline).filter(
    (permission) => !ofThePoller.includes(permission.action) && !needed.has(textOf(permission)),
  );

  expect(unused).toEqual([]);
});

test('no permission has a wildcard in its action or resource', () => {
  const wild = permissionsOf(pipeline).filter(({ action, resource }) => `${action} ${resource}`.includes('*'));

  expect(wild).toEqual([]);
});

async function provokeEveryCall(): Promise<void> {
  const receivedAt = new Date(Date.now() - 31 * 86_400_000).toISOString();
  await pipeline.post('signed, not understood');
  for (const event of eventTypes) {
    await pipeline.post(webhookBody(event, newUpload()));
    await pipeline.putOnQueue(event, 'poison', { event, receivedAt, deliveryId: 'poison' });
    await pipeline.putOnQueue(event, webhookBody(event, newUpload()), { event, receivedAt, deliveryId: 'old' });
  }
  await until(async () =>
    (await pipeline.queueStates()).every(({ event, dead }) => event === 'quarantine' || dead > 0),
  );
  await pipeline.drained();
}
