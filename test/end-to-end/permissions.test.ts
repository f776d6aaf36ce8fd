import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { environment } from '../../functions/aws/environment.ts';
import { eventTypes } from '../../functions/domain/events.ts';
import { rotateSecret } from '../../tools/local/rotate-secret.ts';
import { valuesOf } from '../../tools/local/wiring.ts';
import { changeSubscription } from '../support/builders/subscription-changes.ts';
import {
  type ConnectedPipeline,
  startConnectedPipeline,
  startTestPipeline,
  type TestPipeline,
  until,
} from '../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';
import { forbiddenCalls, neededFor, permissionsOf, textOf } from '../support/role-policies.ts';

// The event source poller acts with the worker's role, but not from its code.
const ofThePoller = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

describe.each([
  ['without credentials for Argyle', startTestPipeline, provokeEveryCall],
  ['with credentials for Argyle', startConnectedPipeline, provokeEveryCallWithCredentials],
])('%s', (_, start, provoke) => {
  let pipeline: TestPipeline;
  let needed: ReadonlySet<string>;
  beforeAll(async () => {
    const started = await start();
    pipeline = started;
    await provoke(started as ConnectedPipeline);
    needed = new Set(pipeline.calls.map((call) => textOf(neededFor(call, pipeline))));
  });
  afterAll(() => pipeline.stop());

  test('every call that the functions make is allowed by their roles', () => {
    expect(needed.size).toBeGreaterThan(eventTypes.length * 3);
    expect(forbiddenCalls(pipeline.calls, pipeline)).toEqual([]);
  });

  test("every permission of the roles is used by the functions, the poller's excepted", () => {
    // What a schedule starts is asked the same in reconciliation.test.ts, which makes it do all that it can.
    const scheduled = [...pipeline.schedules.values()].map(({ lambda }) => lambda.name);
    const unused = permissionsOf(pipeline).filter(
      (permission) =>
        !scheduled.includes(permission.caller) &&
        !ofThePoller.includes(permission.action) &&
        !needed.has(textOf(permission)),
    );

    expect(unused).toEqual([]);
  });

  test('no permission has a wildcard in its action or resource', () => {
    const wild = permissionsOf(pipeline).filter(({ action, resource }) => `${action} ${resource}`.includes('*'));

    expect(wild).toEqual([]);
  });
});

async function provokeEveryCall(pipeline: TestPipeline): Promise<void> {
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

async function provokeEveryCallWithCredentials(pipeline: ConnectedPipeline): Promise<void> {
  await provokeEveryCall(pipeline);
  await rotateQuickly(pipeline);
  // A subscription by hand is adopted; its Delete asks in which state the stack is.
  const byHand = { url: pipeline.webhookUrl, name: 'by hand' };
  await pipeline.subscribeByHand({ ...byHand, events: eventTypes, secret: 'any' });
  const { PhysicalResourceId } = await changeSubscription(pipeline, 'Create', byHand);
  await changeSubscription(pipeline, 'Delete', byHand, PhysicalResourceId);
}

// The bundle's own steps, without the wait of two minutes: the stage is moved for it.
async function rotateQuickly(pipeline: ConnectedPipeline): Promise<void> {
  await rotateSecret(pipeline, 'new', ['createSecret', 'testSecret']);
  const [secretId = ''] = valuesOf(environment.webhookSecretId, pipeline);
  const secret = pipeline.secrets.get(secretId);
  secret?.moveStage('AWSCURRENT', secret.find(undefined, 'AWSCURRENT')?.[0], 'new');
  await rotateSecret(pipeline, 'new', ['finishSecret']);
}
