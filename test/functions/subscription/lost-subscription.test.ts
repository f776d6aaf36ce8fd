import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { physicalIdOf } from '../../../functions/domain/subscription-registry.ts';
import {
  type CustomResource,
  createCustomResource,
  type FakeServers,
  startFakeServers,
} from '../../support/fakes/custom-resource.ts';

const secret = 'canary-of-the-webhook-secret';
const key = { url: 'https://api.example.com/webhooks/argyle', name: 'uploads' };
const fitting = { ...key, events: eventTypes, secret };

// Argyle creates the subscription but returns an error.
const subscribesWithAnError = {
  failures: [{ method: 'POST', path: '/v2/webhooks', isCarriedOut: true, status: 400 }],
};

let resource: CustomResource;
let servers: FakeServers;
beforeAll(async () => {
  servers = await startFakeServers();
});
afterAll(() => servers.stop());
beforeEach(async () => {
  resource = await createCustomResource(servers, secret);
});

const idsOf = async (wanted = key) => (await resource.subscriptions(wanted)).map(({ id }) => id);
const requests = () => resource.argyleLines.map((line) => line.replace(/\/v2\/webhooks.*? (?=\d+$)/, ''));

describe('an Update', () => {
  const next = { ...key, name: 'uploads of team 1' };
  beforeEach(async () => {
    await resource.create(key);
  });

  describe('with a key that is not proved to be ours', () => {
    const otherKey = { otherWorkspace: { uploads: 0, seed: 1 } };
    const lose = async () => {
      for (const id of await idsOf()) await resource.unsubscribeByHand(id);
    };

    test.each([
      ['the key of another workspace', () => resource.argyle.setFaults(otherKey)],
      ['no subscription of ours', lose],
      [
        'a subscription with an unknown secret',
        () => lose().then(() => resource.subscribeByHand({ ...fitting, secret: 'x' })),
      ],
    ])('fails and changes nothing: %s', async (_, prepare) => {
      await prepare();
      const registered = resource.state.registry();
      resource.argyleLines.length = 0;

      for (const changed of [key, next]) {
        const answer = await resource.update(physicalIdOf(key), changed);
        expect(answer).toMatchObject({ Status: 'FAILED', PhysicalResourceId: physicalIdOf(key) });
        expect(answer.Reason).toContain('belongs to another workspace or environment: store the right key');
        expect(answer.Reason).toContain('npm run uploads -- resubscribe');
      }

      expect(requests().filter((line) => !line.startsWith('GET'))).toEqual([]);
      expect(resource.state.registry()).toEqual(registered);
    });

    test('can be rolled back, which changes nothing', async () => {
      await resource.argyle.setFaults(otherKey);
      await resource.update(physicalIdOf(key), next);
      resource.rollBack();
      resource.argyleLines.length = 0;

      expect(await resource.update(physicalIdOf(key), key)).toMatchObject({
        Status: 'SUCCESS',
        PhysicalResourceId: physicalIdOf(key),
      });
      expect(requests().filter((line) => !line.startsWith('GET'))).toEqual([]);
    });

    test('is not rolled back while a failed change has left a subscription at Argyle', async () => {
      await resource.argyle.setFaults(subscribesWithAnError);
      await resource.update(physicalIdOf(key), next);
      await resource.argyle.setFaults(otherKey);
      resource.rollBack();

      expect(await resource.update(physicalIdOf(key), key)).toMatchObject({ Status: 'FAILED' });
      await resource.argyle.clearFaults();
      expect(await resource.update(physicalIdOf(key), key)).toMatchObject({ Status: 'SUCCESS' });
      expect(await idsOf(next)).toEqual([]);
    });
  });

  test('during a rotation is proved by a subscription with the pending secret', async () => {
    for (const id of await idsOf()) await resource.unsubscribeByHand(id);
    resource.state.changeSecret((changed) => changed.put('pending', 'the pending secret', ['AWSPENDING']));
    await resource.subscribeByHand({ ...fitting, secret: 'the pending secret' });

    expect(await resource.update(physicalIdOf(key), next)).toMatchObject({ Status: 'SUCCESS' });
  });
});

describe('a resubscription', () => {
  const other = { ...key, name: 'given by the operator' };

  test('creates a lost subscription with the current secret, once', async () => {
    await resource.create(key);
    for (const id of await idsOf()) await resource.unsubscribeByHand(id);

    expect(await resource.resubscribe(other)).toEqual({ status: 'subscribed', changes: 1 });
    expect(await resource.subscriptions(key)).toMatchObject([fitting]);
    expect(await idsOf(other)).toEqual([]);
    expect(await resource.resubscribe(other)).toEqual({ status: 'subscribed', changes: 0 });
    expect(await idsOf()).toHaveLength(1);
  });

  test('replaces subscriptions that are signed with an unknown secret', async () => {
    await resource.create(key);
    for (const id of await idsOf()) await resource.unsubscribeByHand(id);
    await resource.subscribeByHand({ ...fitting, secret: 'unknown' });

    expect(await resource.resubscribe(key)).toEqual({ status: 'subscribed', changes: 2 });
    expect(await resource.subscriptions(key)).toMatchObject([fitting]);
  });

  test('keeps the subscription with the pending secret of a rotation', async () => {
    await resource.create(key);
    for (const id of await idsOf()) await resource.unsubscribeByHand(id);
    resource.state.changeSecret((changed) => changed.put('pending', 'the pending secret', ['AWSPENDING']));
    await resource.subscribeByHand({ ...fitting, secret: 'the pending secret' });

    expect(await resource.resubscribe(key)).toEqual({ status: 'subscribed', changes: 0 });
  });

  test('re-creates all managed subscriptions, two while the name changes', async () => {
    await resource.create(key);
    await resource.update(physicalIdOf(key), other);
    for (const id of [...(await idsOf()), ...(await idsOf(other))]) await resource.unsubscribeByHand(id);

    expect(await resource.resubscribe(other)).toEqual({ status: 'subscribed', changes: 2 });
    expect([await idsOf(), await idsOf(other)]).toEqual([[expect.any(String)], [expect.any(String)]]);
  });

  test('registers the given subscription when none is registered', async () => {
    expect(await resource.resubscribe(key)).toEqual({ status: 'subscribed', changes: 1 });
    expect(resource.state.registry()).toEqual({ [physicalIdOf(key)]: 'created' });
    expect(await resource.subscriptions(key)).toMatchObject([fitting]);
  });

  test('reports a failure with its reason', async () => {
    resource.refuseKey();
    expect(await resource.resubscribe(key)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('put a valid key into the secret argyle/api-key.'),
    });
    const nameless = { url: key.url } as typeof key;
    expect(await resource.resubscribe(nameless)).toMatchObject({
      status: 'failed',
      reason: 'The request has no URL and name of a subscription.',
    });
    expect(resource.errors.map(({ fields }) => fields)).toEqual([
      { request: 'Resubscribe' },
      { request: 'Resubscribe' },
    ]);
  });
});
