import { beforeEach, describe, expect, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { createRotation } from '../../../functions/rotation/handler.ts';
import { subscribe } from '../../../functions/subscription/change-subscription.ts';
import { rotationSteps } from '../../../tools/local/rotate-secret.ts';
import { fakeTelemetry } from '../../support/fakes/fakes.ts';
import {
  createSubscriptionWorld,
  receiverUrl,
  type SubscriptionWorld,
} from '../../support/fakes/subscription-world.ts';

const key = { url: receiverUrl, name: 'uploads' };
const whole = new AbortController().signal;
const token = 'token-1';
type Step = (typeof rotationSteps)[number];

let world: SubscriptionWorld;
let told: ReturnType<typeof fakeTelemetry>;
beforeEach(async () => {
  world = createSubscriptionWorld('secret-0');
  told = fakeTelemetry();
  const dependencies = { ...world.invocation(), isRollingBack: async () => false };
  await subscribe(dependencies, key, undefined, () => undefined, whole);
});

const secrets = () => world.own(key).map(({ secret }) => secret);
const stagesOf = (id: string) => [...(world.secret.find(id, '')?.[1].stages ?? [])];
const run = (Step: Step, id = token) => {
  const newSecret = () => `secret of ${id}`;
  const rotation = createRotation({ ...world.invocation(), newSecret, telemetry: told.telemetry, stepMs: 60_000 });
  return rotation({ Step, SecretId: 'webhook-secret', ClientRequestToken: id });
};
const begin = (id = token) => world.changeSecret((secret) => secret.put(id, undefined, ['AWSPENDING']));

describe('a rotation', () => {
  beforeEach(() => begin());

  test('writes the new secret as pending, and the same when it is repeated', async () => {
    await run('createSecret');
    await run('createSecret');

    expect(world.secret.value('AWSPENDING')).toBe(`secret of ${token}`);
    expect(world.secret.value('AWSCURRENT')).toBe('secret-0');
    expect(secrets()).toEqual(['secret-0']);
  });

  test('subscribes with the new secret once every ingest has seen it for sure, beside the old one', async () => {
    await run('createSecret');
    const writtenMs = world.nowMs();

    await run('setSecret');

    expect(secrets()).toEqual(['secret-0', `secret of ${token}`]);
    const [, added] = world.lifetimes();
    expect((added?.fromMs ?? 0) - writtenMs).toBeGreaterThanOrEqual(120_000);
  });

  test('does not wait again for a subscription that is there already', async () => {
    await run('createSecret');
    await run('setSecret');
    const subscribedMs = world.nowMs();

    await run('setSecret');

    expect(world.nowMs() - subscribedMs).toBeLessThan(10_000);
    expect(secrets()).toHaveLength(2);
  });

  test('holds no lease while it waits: a deployment goes on meanwhile', async () => {
    await run('createSecret');
    const startedMs = world.nowMs();
    let tookMs = Number.NaN;
    world.intrudeOnce(async () => {
      const deployment = { ...world.invocation(), isRollingBack: async () => false };
      const beganMs = world.nowMs();
      await subscribe(deployment, key, undefined, () => undefined, whole);
      tookMs = world.nowMs() - beganMs;
    });

    await run('setSecret');

    expect(tookMs).toBeLessThan(10_000);
    expect(world.nowMs() - startedMs).toBeGreaterThan(120_000);
    expect(secrets()).toHaveLength(2);
  });

  test('subscribes with nothing that was withdrawn while it waited', async () => {
    await run('createSecret');
    world.intrudeOnce(async () => world.changeSecret((secret) => secret.moveStage('AWSPENDING', token, undefined)));

    await expect(run('setSecret')).rejects.toThrow('stopped in setSecret');

    expect(secrets()).toEqual(['secret-0']);
  });

  test('ends with the new secret alone: current, the old one previous, and none pending', async () => {
    for (const step of rotationSteps) await run(step);

    expect(secrets()).toEqual([`secret of ${token}`]);
    expect(stagesOf(token)).toEqual(['AWSCURRENT']);
    expect(world.secret.value('AWSPREVIOUS')).toBe('secret-0');
    expect(world.secret.value('AWSPENDING')).toBeUndefined();
  });

  test('replaces a current value that is no text, which nothing can be signed with', async () => {
    world.changeSecret((secret) => secret.put('bytes', new Uint8Array([1, 2]), ['AWSCURRENT']));

    for (const step of rotationSteps) await run(step);

    expect(secrets()).toEqual([`secret of ${token}`]);
    expect(stagesOf(token)).toEqual(['AWSCURRENT']);
    expect(stagesOf('bytes')).toEqual(['AWSPREVIOUS']);
  });

  test('moves the stages only after the last retry of what the old secret signed', async () => {
    for (const step of rotationSteps) await run(step);

    const [old] = world.lifetimes();
    const movedMs = world.history.find(({ values }) => values.AWSCURRENT !== 'secret-0')?.atMs ?? 0;
    expect(movedMs - (old?.untilMs ?? 0)).toBeGreaterThanOrEqual(60_000);
  });

  test('that is finished already is finished again without a change', async () => {
    for (const step of rotationSteps) await run(step);
    const before = world.history.length;

    for (const step of rotationSteps) await run(step);

    expect(world.history).toHaveLength(before);
    expect(secrets()).toEqual([`secret of ${token}`]);
  });

  test('makes good in its last step what is missing then', async () => {
    for (const step of ['createSecret', 'setSecret'] as const) await run(step);
    const [, added] = world.own(key);
    await world.invocation().webhooks.remove(added?.id ?? '', whole);

    await run('finishSecret');

    expect(secrets()).toEqual([`secret of ${token}`]);
  });

  test('fails its test when the new subscription does not report the events of the catalogue', async () => {
    await run('createSecret');
    world.subscribe(key, `secret of ${token}`, eventTypes.slice(1));

    await expect(run('testSecret')).rejects.toThrow('stopped in testSecret');
  });

  test('completes another one that was interrupted, before it begins', async () => {
    for (const step of ['createSecret', 'setSecret'] as const) await run(step);

    for (const step of rotationSteps) await run(step, 'token-2');

    expect(secrets()).toEqual(['secret of token-2']);
    expect(world.secret.value('AWSPREVIOUS')).toBe(`secret of ${token}`);
    expect(world.secret.value('AWSPENDING')).toBeUndefined();
  });

  test('that fails says in which step, raises the alarm metric, and tells no secret', async () => {
    await run('createSecret');
    world.changeSecret((secret) => secret.moveStage('AWSPENDING', token, undefined));

    await expect(run('finishSecret')).rejects.toThrow('stopped in finishSecret');

    expect(told.errors).toMatchObject([
      { code: 'rotation_failed', error: { name: 'LoggableError' }, fields: { step: 'finishSecret', version: token } },
    ]);
    expect(told.measured).toEqual([{ metrics: { RotationStepsFailed: 1 }, fields: { step: 'finishSecret' } }]);
    expect(JSON.stringify([told.errors, told.measured])).not.toContain(`secret of ${token}`);
  });
});

describe('the test step alone, as Secrets Manager calls it when a schedule is made', () => {
  test.each([
    ['a value', 'value for the test'],
    ['the current value', 'secret-0'],
    ['no value yet', undefined],
  ])('succeeds and changes nothing, its version having %s', async (_, value) => {
    world.changeSecret((secret) => secret.put('for-the-test', value, ['AWSPENDING']));
    const before = world.history.length;

    await run('testSecret', 'for-the-test');

    expect(world.history).toHaveLength(before);
    expect(secrets()).toEqual(['secret-0']);
  });
});

test('where no subscription is looked after, nothing is subscribed', async () => {
  begin();
  await run('createSecret');
  await world.invocation().memory.write({}, whole);

  await expect(run('setSecret')).rejects.toThrow('stopped in setSecret');

  expect(secrets()).toEqual(['secret-0']);
});
