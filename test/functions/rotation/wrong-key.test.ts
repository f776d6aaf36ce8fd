import { beforeEach, describe, expect, test } from 'vitest';
import { deadline, key, token, useRotation } from './set-up.ts';

const { begin, it, run, stagesOf } = useRotation();
/** Everything that a step can change. */
const everything = () => JSON.stringify([it.state.history, it.state.lifetimes(), it.state.foreign()]);

describe('a rotation changes nothing and says what to do', () => {
  const refusal = () => String((it.telemetry.errors.at(-1)?.error as Error)?.message);
  beforeEach(() => begin());

  test.each([
    ['createSecret', []],
    ['setSecret', ['createSecret']],
    ['finishSecret', ['createSecret', 'setSecret']],
  ] as const)('when the key belongs to another workspace in %s', async (step, earlier) => {
    for (const each of earlier) await run(each);
    it.state.useKeyOf('other');
    const before = everything();

    await expect(run(step)).rejects.toThrow(`stopped in ${step}`);

    expect(everything()).toBe(before);
    expect(refusal()).toContain('belongs to another workspace or environment: store the right key');
    expect(refusal()).toContain('npm run uploads -- resubscribe');
  });

  test('when the key is replaced during the wait before the subscription', async () => {
    await run('createSecret');
    const before = everything();
    it.state.interruptNextSleep(async () => it.state.useKeyOf('other'));

    await expect(run('setSecret')).rejects.toThrow('stopped in setSecret');

    expect(everything()).toBe(before);
  });

  test('when the key is replaced during the wait before the promotion', async () => {
    for (const step of ['createSecret', 'setSecret'] as const) await run(step);
    it.state.interruptNextSleep(async () => it.state.useKeyOf('other'));

    await expect(run('finishSecret')).rejects.toThrow('stopped in finishSecret');

    expect(it.state.secret.value('AWSCURRENT')).toBe('secret-0');
    expect(it.state.secret.value('AWSPENDING')).toBe(`secret of ${token}`);
    expect(it.state.foreign()).toEqual([]);
    it.state.useKeyOf('ours');
    await run('finishSecret');
    expect(stagesOf(token)).toEqual(['AWSCURRENT']);
  });

  test('when the key is replaced between the proof and the change', async () => {
    await run('createSecret');
    const { webhooks } = it.state.invocation();
    let lists = 0;
    const listOwn: typeof webhooks.listOwn = async (...request) => {
      lists += 1;
      // The third list is the one from which it plans.
      if (lists === 3) it.state.useKeyOf('other');
      return webhooks.listOwn(...request);
    };

    await expect(run('setSecret', token, { webhooks: { ...webhooks, listOwn } })).rejects.toThrow('setSecret');

    expect(lists).toBe(3);
    expect(it.state.foreign()).toEqual([]);
  });

  test('when one of two managed subscriptions is lost', async () => {
    await it.state.invocation().registry.write({ [`${key.url}#lost`]: 'created', ...it.state.registry() }, deadline);
    const before = everything();

    for (const step of ['createSecret', 'setSecret', 'finishSecret'] as const)
      await expect(run(step)).rejects.toThrow(`stopped in ${step}`);

    expect(everything()).toBe(before);
  });

  test.each([
    ['is signed with an unknown secret', 'unknown'],
    ['is signed with the previous secret, although the current one is a text', 'secret-before'],
  ])('when our subscription %s', async (_, signedWith) => {
    it.state.changeSecret((secret) => secret.put('before', 'secret-before', ['AWSPREVIOUS']));
    for (const { id } of it.state.own(key)) it.state.unsubscribe(id);
    it.state.subscribe(key, signedWith);
    const before = everything();

    await expect(run('createSecret')).rejects.toThrow('stopped in createSecret');

    expect(everything()).toBe(before);
  });

  test('when no subscription is registered', async () => {
    await run('createSecret');
    await it.state.invocation().registry.write({}, deadline);
    const before = everything();

    for (const step of ['createSecret', 'setSecret', 'finishSecret'] as const)
      await expect(run(step)).rejects.toThrow(`stopped in ${step}`);

    expect(everything()).toBe(before);
    expect(refusal()).toContain('register it with npm run uploads -- resubscribe');
  });
});
