import { beforeEach, describe, expect, test } from 'vitest';
import { physicalIdOf } from '../../../functions/domain/subscription-registry.ts';
import { fitting, key, subscribesWithAnError, useCustomResource } from './set-up.ts';

const { it, idsOf, requests } = useCustomResource();

describe('an Update', () => {
  const next = { ...key, name: 'uploads of team 1' };
  beforeEach(async () => {
    await it.resource.create(key);
  });

  describe('with a key that is not proved to be ours', () => {
    const otherKey = { otherWorkspace: { uploads: 0, seed: 1 } };
    const lose = async () => {
      for (const id of await idsOf()) await it.resource.unsubscribeByHand(id);
    };

    test.each([
      ['the key of another workspace', () => it.resource.argyle.setFaults(otherKey)],
      ['no subscription of ours', lose],
      [
        'a subscription with an unknown secret',
        () => lose().then(() => it.resource.subscribeByHand({ ...fitting, secret: 'x' })),
      ],
    ])('fails and changes nothing: %s', async (_, prepare) => {
      await prepare();
      const registered = it.resource.state.registry();
      it.resource.argyleLines.length = 0;

      for (const changed of [key, next]) {
        const answer = await it.resource.update(physicalIdOf(key), changed);
        expect(answer).toMatchObject({ Status: 'FAILED', PhysicalResourceId: physicalIdOf(key) });
        expect(answer.Reason).toContain('belongs to another workspace or environment: store the right key');
        expect(answer.Reason).toContain('npm run uploads -- resubscribe');
      }

      expect(requests().filter((line) => !line.startsWith('GET'))).toEqual([]);
      expect(it.resource.state.registry()).toEqual(registered);
    });

    test('can be rolled back, which changes nothing', async () => {
      await it.resource.argyle.setFaults(otherKey);
      await it.resource.update(physicalIdOf(key), next);
      it.resource.rollBack();
      it.resource.argyleLines.length = 0;

      expect(await it.resource.update(physicalIdOf(key), key)).toMatchObject({
        Status: 'SUCCESS',
        PhysicalResourceId: physicalIdOf(key),
      });
      expect(requests().filter((line) => !line.startsWith('GET'))).toEqual([]);
    });

    test('is not rolled back while a failed change has left a subscription at Argyle', async () => {
      await it.resource.argyle.setFaults(subscribesWithAnError);
      await it.resource.update(physicalIdOf(key), next);
      await it.resource.argyle.setFaults(otherKey);
      it.resource.rollBack();

      expect(await it.resource.update(physicalIdOf(key), key)).toMatchObject({ Status: 'FAILED' });
      await it.resource.argyle.clearFaults();
      expect(await it.resource.update(physicalIdOf(key), key)).toMatchObject({ Status: 'SUCCESS' });
      expect(await idsOf(next)).toEqual([]);
    });
  });

  test('during a rotation is proved by a subscription with the pending secret', async () => {
    for (const id of await idsOf()) await it.resource.unsubscribeByHand(id);
    it.resource.state.changeSecret((changed) => changed.put('pending', 'the pending secret', ['AWSPENDING']));
    await it.resource.subscribeByHand({ ...fitting, secret: 'the pending secret' });

    expect(await it.resource.update(physicalIdOf(key), next)).toMatchObject({ Status: 'SUCCESS' });
  });
});

describe('a resubscription', () => {
  const other = { ...key, name: 'given by the operator' };

  test('creates a lost subscription with the current secret, once', async () => {
    await it.resource.create(key);
    for (const id of await idsOf()) await it.resource.unsubscribeByHand(id);

    expect(await it.resource.resubscribe(other)).toEqual({ status: 'subscribed', changes: 1 });
    expect(await it.resource.subscriptions(key)).toMatchObject([fitting]);
    expect(await idsOf(other)).toEqual([]);
    expect(await it.resource.resubscribe(other)).toEqual({ status: 'subscribed', changes: 0 });
    expect(await idsOf()).toHaveLength(1);
  });

  test('replaces subscriptions that are signed with an unknown secret', async () => {
    await it.resource.create(key);
    for (const id of await idsOf()) await it.resource.unsubscribeByHand(id);
    await it.resource.subscribeByHand({ ...fitting, secret: 'unknown' });

    expect(await it.resource.resubscribe(key)).toEqual({ status: 'subscribed', changes: 2 });
    expect(await it.resource.subscriptions(key)).toMatchObject([fitting]);
  });

  test('keeps the subscription with the pending secret of a rotation', async () => {
    await it.resource.create(key);
    for (const id of await idsOf()) await it.resource.unsubscribeByHand(id);
    it.resource.state.changeSecret((changed) => changed.put('pending', 'the pending secret', ['AWSPENDING']));
    await it.resource.subscribeByHand({ ...fitting, secret: 'the pending secret' });

    expect(await it.resource.resubscribe(key)).toEqual({ status: 'subscribed', changes: 0 });
  });

  test('re-creates all managed subscriptions, two while the name changes', async () => {
    await it.resource.create(key);
    await it.resource.update(physicalIdOf(key), other);
    for (const id of [...(await idsOf()), ...(await idsOf(other))]) await it.resource.unsubscribeByHand(id);

    expect(await it.resource.resubscribe(other)).toEqual({ status: 'subscribed', changes: 2 });
    expect([await idsOf(), await idsOf(other)]).toEqual([[expect.any(String)], [expect.any(String)]]);
  });

  test('registers the given subscription when none is registered', async () => {
    expect(await it.resource.resubscribe(key)).toEqual({ status: 'subscribed', changes: 1 });
    expect(it.resource.state.registry()).toEqual({ [physicalIdOf(key)]: 'created' });
    expect(await it.resource.subscriptions(key)).toMatchObject([fitting]);
  });

  test('reports a failure with its reason', async () => {
    it.resource.refuseKey();
    expect(await it.resource.resubscribe(key)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('put a valid key into the secret argyle/api-key.'),
    });
    const nameless = { url: key.url } as typeof key;
    expect(await it.resource.resubscribe(nameless)).toMatchObject({
      status: 'failed',
      reason: 'The request has no URL and name of a subscription.',
    });
    expect(it.resource.errors.map(({ fields }) => fields)).toEqual([
      { request: 'Resubscribe' },
      { request: 'Resubscribe' },
    ]);
  });
});
