import { beforeEach, describe, expect, test } from 'vitest';
import { createRotation } from '../../../functions/rotation/handler.ts';
import { subscribe } from '../../../functions/subscription/change-subscription.ts';
import type { rotationSteps } from '../../../tools/local/secrets-manager.ts';
import { fakeTelemetry } from '../../support/fakes/fakes.ts';
import { createFakeState, type FakeState, receiverUrl } from '../../support/fakes/subscription-state.ts';

const key = { url: receiverUrl, name: 'uploads' };
const deadline = new AbortController().signal;
const token = 'token-1';
type Step = (typeof rotationSteps)[number];

let state: FakeState;
let telemetry: ReturnType<typeof fakeTelemetry>;
beforeEach(async () => {
  state = createFakeState('secret-0');
  telemetry = fakeTelemetry();
  await deploy();
});

const deploy = () =>
  subscribe(
    { ...state.invocation(), isRollingBack: async () => false },
    { key, previousId: undefined, stackId: 'stack', onChange: () => undefined },
    deadline,
  );
const stagesOf = (id: string) => [...(state.secret.find(id, '')?.[1].stages ?? [])];
const run = (Step: Step, id = token, changed: Partial<ReturnType<FakeState['invocation']>> = {}) => {
  const newSecret = () => `secret of ${id}`;
  const dependencies = { ...state.invocation(), ...changed, newSecret, telemetry: telemetry.telemetry, stepMs: 60_000 };
  return createRotation(dependencies)({ Step, SecretId: 'webhook-secret', ClientRequestToken: id });
};
// As Secrets Manager does before the first step.
const begin = () => state.changeSecret((secret) => secret.put(token, undefined, ['AWSPENDING']));
/** Everything that a step can change. */
const everything = () => JSON.stringify([state.history, state.lifetimes(), state.foreign()]);

describe('a rotation changes nothing and says what to do', () => {
  const refusal = () => String((telemetry.errors.at(-1)?.error as Error)?.message);
  beforeEach(() => begin());

  test.each([
    ['createSecret', []],
    ['setSecret', ['createSecret']],
    ['finishSecret', ['createSecret', 'setSecret']],
  ] as const)('when the key belongs to another workspace in %s', async (step, earlier) => {
    for (const each of earlier) await run(each);
    state.useKeyOf('other');
    const before = everything();

    await expect(run(step)).rejects.toThrow(`stopped in ${step}`);

    expect(everything()).toBe(before);
    expect(refusal()).toContain('belongs to another workspace or environment: store the right key');
    expect(refusal()).toContain('npm run uploads -- resubscribe');
  });

  test('when the key is replaced during the wait before the subscription', async () => {
    await run('createSecret');
    const before = everything();
    state.interruptNextSleep(async () => state.useKeyOf('other'));

    await expect(run('setSecret')).rejects.toThrow('stopped in setSecret');

    expect(everything()).toBe(before);
  });

  test('when the key is replaced during the wait before the promotion', async () => {
    for (const step of ['createSecret', 'setSecret'] as const) await run(step);
    state.interruptNextSleep(async () => state.useKeyOf('other'));

    await expect(run('finishSecret')).rejects.toThrow('stopped in finishSecret');

    expect(state.secret.value('AWSCURRENT')).toBe('secret-0');
    expect(state.secret.value('AWSPENDING')).toBe(`secret of ${token}`);
    expect(state.foreign()).toEqual([]);
    state.useKeyOf('ours');
    await run('finishSecret');
    expect(stagesOf(token)).toEqual(['AWSCURRENT']);
  });

  test('when the key is replaced between the proof and the change', async () => {
    await run('createSecret');
    const { webhooks } = state.invocation();
    let lists = 0;
    const listOwn: typeof webhooks.listOwn = async (...request) => {
      lists += 1;
      // The third list is the one from which it plans.
      if (lists === 3) state.useKeyOf('other');
      return webhooks.listOwn(...request);
    };

    await expect(run('setSecret', token, { webhooks: { ...webhooks, listOwn } })).rejects.toThrow('setSecret');

    expect(lists).toBe(3);
    expect(state.foreign()).toEqual([]);
  });

  test('when one of two managed subscriptions is lost', async () => {
    await state.invocation().registry.write({ [`${key.url}#lost`]: 'created', ...state.registry() }, deadline);
    const before = everything();

    for (const step of ['createSecret', 'setSecret', 'finishSecret'] as const)
      await expect(run(step)).rejects.toThrow(`stopped in ${step}`);

    expect(everything()).toBe(before);
  });

  test.each([
    ['is signed with an unknown secret', 'unknown'],
    ['is signed with the previous secret, although the current one is a text', 'secret-before'],
  ])('when our subscription %s', async (_, signedWith) => {
    state.changeSecret((secret) => secret.put('before', 'secret-before', ['AWSPREVIOUS']));
    for (const { id } of state.own(key)) state.unsubscribe(id);
    state.subscribe(key, signedWith);
    const before = everything();

    await expect(run('createSecret')).rejects.toThrow('stopped in createSecret');

    expect(everything()).toBe(before);
  });

  test('when no subscription is registered', async () => {
    await run('createSecret');
    await state.invocation().registry.write({}, deadline);
    const before = everything();

    for (const step of ['createSecret', 'setSecret', 'finishSecret'] as const)
      await expect(run(step)).rejects.toThrow(`stopped in ${step}`);

    expect(everything()).toBe(before);
    expect(refusal()).toContain('register it with npm run uploads -- resubscribe');
  });
});
