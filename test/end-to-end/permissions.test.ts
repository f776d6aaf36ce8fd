import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import { rotateSecret } from '../../tools/local/secrets-manager.ts';
import { changeSubscription } from '../support/builders/subscription-changes.ts';
import {
  type ConnectedPipeline,
  startConnectedPipeline,
  startTestPipeline,
  type TestPipeline,
  until,
} from '../support/emulators/local-pipeline.ts';
import type { Disturb } from '../support/emulators/watched-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';
import { forbiddenCalls, neededFor, permissionsOf, textOf } from '../support/role-policies.ts';

// The event source mapping's poller uses the worker's role; the worker's code does not make these calls.
const pollerActions = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

describe.each([
  [
    'without credentials for Argyle',
    () => startTestPipeline(undefined, undefined, refuseFirstWrites()),
    provokeEveryCall,
  ],
  [
    'with credentials for Argyle',
    () => startConnectedPipeline({ disturb: refuseFirstWrites() }),
    provokeEveryCallWithCredentials,
  ],
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

  test('the roles allow every call of the functions', () => {
    expect(needed.size).toBeGreaterThan(eventTypes.length * 3);
    expect(forbiddenCalls(pipeline.calls, pipeline)).toEqual([]);
  });

  test("the functions use every permission of their roles, except the poller's", () => {
    // reconciliation.test.ts checks the scheduled function's permissions.
    const scheduled = [...pipeline.schedules.values()].map(({ lambda }) => lambda.name);
    const unused = permissionsOf(pipeline).filter(
      (permission) =>
        !scheduled.includes(permission.caller) &&
        !pollerActions.includes(permission.action) &&
        !needed.has(textOf(permission)),
    );

    expect(unused).toEqual([]);
  });

  test('no permission has a wildcard in its action or resource', () => {
    const wildcards = permissionsOf(pipeline).filter(({ action, resource }) => `${action} ${resource}`.includes('*'));

    expect(wildcards).toEqual([]);
  });
});

// Both attempts of each worker's first write fail, so that it postpones a message.
function refuseFirstWrites(): Disturb {
  const refused: string[] = [];
  return ({ caller, action }) => {
    const isFirst = refused.filter((name) => name === caller).length < 2;
    if (!caller.includes('Worker') || action !== 'UpdateItem' || !isFirst) return undefined;
    refused.push(caller);
    return { kind: 'refuse', statusCode: 500, errorType: 'InternalServerError' };
  };
}

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
  await rotateSecret(pipeline);
  // The Create adopts the existing subscription. The Delete reads the stack's status.
  const byHand = { url: pipeline.webhookUrl, name: 'by hand' };
  await pipeline.subscribeByHand({ ...byHand, events: eventTypes, secret: 'any' });
  const { PhysicalResourceId } = await changeSubscription(pipeline, 'Create', byHand);
  await changeSubscription(pipeline, 'Delete', byHand, PhysicalResourceId);
}
