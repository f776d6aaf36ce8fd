import { beforeEach, describe, expect, test } from 'vitest';
import { createAskArgyle } from '../../../functions/argyle/argyle-api.ts';
import { RequestError } from '../../../functions/argyle/retry.ts';
import { createWebhooks } from '../../../functions/argyle/webhooks.ts';
import { eventTypes } from '../../../functions/domain/events.ts';
import { createNewSecret } from '../../../functions/rotation/handler.ts';
import { rotationSteps } from '../../../tools/local/secrets-manager.ts';
import { key, token, useRotation } from './set-up.ts';

const { begin, deploy, it, run, stagesOf } = useRotation();
const secrets = () => it.state.own(key).map(({ secret }) => secret);
const rotate = async (id = token) => {
  for (const step of rotationSteps) await run(step, id);
};
const withdraw = () => it.state.changeSecret((secret) => secret.moveStage('AWSPENDING', token, undefined));

describe('a rotation', () => {
  beforeEach(() => begin());

  test('writes the new secret as the pending version, once', async () => {
    await run('createSecret');
    await run('createSecret');

    expect(it.state.secret.value('AWSPENDING')).toBe(`secret of ${token}`);
    expect(it.state.secret.value('AWSCURRENT')).toBe('secret-0');
    expect(secrets()).toEqual(['secret-0']);
  });

  test('adds a subscription with the new secret when no ingest refuses it any more', async () => {
    await run('createSecret');
    const writtenMs = it.state.nowMs();

    await run('setSecret');

    expect(secrets()).toEqual(['secret-0', `secret of ${token}`]);
    const [, added] = it.state.lifetimes();
    const waitedMs = (added?.fromMs ?? 0) - writtenMs;
    expect(waitedMs).toBeGreaterThanOrEqual(70_000);
    expect(waitedMs).toBeLessThan(350_000);
  });

  test('does not wait when the new subscription already exists', async () => {
    await run('createSecret');
    await run('setSecret');
    const subscribedMs = it.state.nowMs();

    await run('setSecret');

    expect(it.state.nowMs() - subscribedMs).toBeLessThan(10_000);
    expect(secrets()).toHaveLength(2);
  });

  test('does not have the lease while it waits, so that a deployment can proceed', async () => {
    await run('createSecret');
    const startedMs = it.state.nowMs();
    let deploymentMs = Number.NaN;
    it.state.interruptNextSleep(async () => {
      const beganMs = it.state.nowMs();
      await deploy();
      deploymentMs = it.state.nowMs() - beganMs;
    });

    await run('setSecret');

    expect(deploymentMs).toBeLessThan(10_000);
    expect(it.state.nowMs() - startedMs).toBeGreaterThan(70_000);
    expect(secrets()).toHaveLength(2);
  });

  test('does not subscribe with a version that was withdrawn while it waited', async () => {
    await run('createSecret');
    it.state.interruptNextSleep(async () => withdraw());

    await expect(run('setSecret')).rejects.toThrow('stopped in setSecret');

    expect(secrets()).toEqual(['secret-0']);
  });

  test('ends with one subscription and the new version current, the old one previous, and none pending', async () => {
    await rotate();

    expect(secrets()).toEqual([`secret of ${token}`]);
    expect(stagesOf(token)).toEqual(['AWSCURRENT']);
    expect(it.state.secret.value('AWSPREVIOUS')).toBe('secret-0');
    expect(it.state.secret.value('AWSPENDING')).toBeUndefined();
  });

  test('replaces a binary current value, which no subscription can be signed with', async () => {
    it.state.changeSecret((secret) => secret.put('bytes', new Uint8Array([1, 2]), ['AWSCURRENT']));

    await rotate();

    expect(secrets()).toEqual([`secret of ${token}`]);
    expect(stagesOf(token)).toEqual(['AWSCURRENT']);
    expect(stagesOf('bytes')).toEqual(['AWSPREVIOUS']);
  });

  test('moves the stages only after the last delivery that the old secret signed', async () => {
    await rotate();

    const [old] = it.state.lifetimes();
    const movedMs = it.state.history.find(({ values }) => values.AWSCURRENT !== 'secret-0')?.atMs ?? 0;
    const waitedMs = movedMs - (old?.untilMs ?? 0);
    expect(waitedMs).toBeGreaterThanOrEqual(60_000);
    expect(waitedMs).toBeLessThan(120_000);
  });

  test('removes the pending stage when each read of all stages finds the new version as the current one', async () => {
    await rotate();

    const movedMs = it.state.history.find(({ values }) => values.AWSCURRENT !== 'secret-0')?.atMs ?? 0;
    const removedMs = it.state.history.findLast(({ values }) => values.AWSPENDING === undefined)?.atMs ?? 0;
    expect(removedMs - movedMs).toBeGreaterThanOrEqual(70_000);
    expect(removedMs - movedMs).toBeLessThan(350_000);
  });

  test('changes nothing when it is repeated after its end', async () => {
    await rotate();
    const changes = it.state.history.length;

    await rotate();

    expect(it.state.history).toHaveLength(changes);
    expect(secrets()).toEqual([`secret of ${token}`]);
  });

  test('creates a missing subscription in its last step', async () => {
    for (const step of ['createSecret', 'setSecret'] as const) await run(step);
    const [, added] = it.state.own(key);
    it.state.unsubscribe(added?.id ?? '');

    await run('finishSecret');

    expect(secrets()).toEqual([`secret of ${token}`]);
  });

  test('fails its test step when the new subscription does not list the events of the catalogue', async () => {
    await run('createSecret');
    it.state.subscribe(key, `secret of ${token}`, eventTypes.slice(1));

    await expect(run('testSecret')).rejects.toThrow('stopped in testSecret');
  });

  test('first completes another rotation that was interrupted', async () => {
    for (const step of ['createSecret', 'setSecret'] as const) await run(step);

    await rotate('token-2');

    expect(secrets()).toEqual(['secret of token-2']);
    expect(it.state.secret.value('AWSPREVIOUS')).toBe(`secret of ${token}`);
    expect(it.state.secret.value('AWSPENDING')).toBeUndefined();
  });

  test('that fails names its step, raises the alarm metric, and logs no secret', async () => {
    await run('createSecret');
    withdraw();

    await expect(run('finishSecret')).rejects.toThrow('stopped in finishSecret');

    const { errors, measured } = it.telemetry;
    expect(errors).toMatchObject([
      { code: 'rotation_failed', error: { name: 'LoggableError' }, fields: { step: 'finishSecret', version: token } },
    ]);
    expect(JSON.stringify([errors, measured])).not.toContain(`secret of ${token}`);
  });

  test('logs no_answer when the connection to Argyle fails', async () => {
    const webhooks = createWebhooks(
      createAskArgyle('http://127.0.0.1:1', async () => ({ apiKeyId: 'id', apiKeySecret: 'key' })),
      'argyle/api-key',
    );
    const sleep = () => Promise.reject(new Error('The function ran out of time.'));

    await expect(run('createSecret', token, { webhooks, sleep })).rejects.toThrow('stopped in createSecret');

    expect(it.telemetry.errors).toMatchObject([{ code: 'rotation_failed', error: { code: 'no_answer' } }]);
  });

  test('waits with its own backoff when Argyle sends Retry-After: 0', async () => {
    let failures = 3;
    const { webhooks, sleep } = it.state.invocation();
    const pauses: number[] = [];
    await run('createSecret', token, {
      webhooks: {
        ...webhooks,
        listOwn: async (...request) => {
          failures -= 1;
          if (failures >= 0) throw new RequestError('busy', { isTransient: true, retryAfterSeconds: 0 });
          return webhooks.listOwn(...request);
        },
      },
      sleep: (milliseconds) => {
        pauses.push(milliseconds);
        return sleep(milliseconds);
      },
    });

    expect(pauses).toEqual([500, 1_000, 2_000]);
  });
});

test('a step creates at most six subscriptions, even if no answer of Argyle arrives', async () => {
  begin();
  await run('createSecret');
  const { webhooks } = it.state.invocation();
  let creations = 0;
  const create = async () => {
    creations += 1;
    throw new RequestError('busy', { isTransient: true });
  };

  await expect(run('setSecret', token, { webhooks: { ...webhooks, create } })).rejects.toThrow('stopped in setSecret');

  expect(creations).toBe(6);
});

test('a rotation that was interrupted when only the new subscription existed can be completed', async () => {
  begin();
  for (const step of ['createSecret', 'setSecret'] as const) await run(step);
  it.state.interruptNextSleep(() => Promise.reject(new Error('The function crashed.')));
  await expect(run('finishSecret')).rejects.toThrow('stopped in finishSecret');
  expect(secrets()).toEqual([`secret of ${token}`]);

  await rotate();

  expect(stagesOf(token)).toEqual(['AWSCURRENT']);
  expect(secrets()).toEqual([`secret of ${token}`]);
});

test('a new secret is 32 random bytes in hexadecimal', () => {
  const generated = Array.from({ length: 64 }, createNewSecret);

  for (const text of generated) expect(text).toMatch(/^[0-9a-f]{64}$/);
  // Each byte differs between the secrets. The probability that one of 32 random bytes is 64 times the same is below 1e-150.
  for (let at = 0; at < 64; at += 2)
    expect(new Set(generated.map((text) => text.slice(at, at + 2))).size).toBeGreaterThan(1);
});

describe('the test step alone, as Secrets Manager calls it when a schedule is created', () => {
  test.each([
    ['a value', 'value for the test'],
    ['the current value', 'secret-0'],
    ['no value yet', undefined],
  ])('succeeds and changes nothing for a version with %s', async (_, value) => {
    it.state.changeSecret((secret) => secret.put('for-the-test', value, ['AWSPENDING']));
    const changes = it.state.history.length;

    await run('testSecret', 'for-the-test');

    expect(it.state.history).toHaveLength(changes);
    expect(secrets()).toEqual(['secret-0']);
  });
});
