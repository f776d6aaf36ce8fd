import { beforeEach, describe, expect, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { physicalIdOf } from '../../../functions/domain/subscription-registry.ts';
import { fitting, key, secret, subscribesWithAnError, useCustomResource } from './set-up.ts';

const { it, idsOf, requests } = useCustomResource();

describe('a Create', () => {
  test('subscribes to the events of the catalogue with the current secret', async () => {
    expect(await it.resource.create(key)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: physicalIdOf(key) });
    expect(await it.resource.subscriptions(key)).toMatchObject([fitting]);
  });

  test('that is repeated changes nothing', async () => {
    const first = await it.resource.create(key);
    const ids = await idsOf();

    expect(await it.resource.create(key)).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: first.PhysicalResourceId,
    });
    expect(await idsOf()).toEqual(ids);
  });

  test('adopts an existing subscription that fits, even among 400 others', async () => {
    const subscribeOthers = (count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, n) => it.resource.subscribeByHand({ ...fitting, name: `other ${n}` })),
      );
    // On the second of three pages, whichever end the list starts at.
    await subscribeOthers(201);
    await it.resource.subscribeByHand(fitting);
    await subscribeOthers(200);
    const ids = (await it.resource.argyle.state()).webhooks.map(({ id }) => id);

    expect(await it.resource.create(key)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: physicalIdOf(key) });
    expect((await it.resource.argyle.state()).webhooks.map(({ id }) => id)).toEqual(ids);
  });

  test.each([
    ['lacks an event', { events: eventTypes.slice(1) }],
    ['has an additional event', { events: [...eventTypes, 'accounts.connected'] }],
    ['lists all events', { events: ['*'] }],
    ['has another secret', { secret: 'another' }],
    ['has no secret', { secret: undefined }],
  ])('replaces an existing subscription that %s, without a gap', async (_, difference) => {
    await it.resource.subscribeByHand({ ...fitting, ...difference });
    const [old] = await idsOf();
    it.resource.argyleLines.length = 0;

    await it.resource.create(key);

    expect(await it.resource.subscriptions(key)).toMatchObject([fitting]);
    expect(await idsOf()).not.toContain(old);
    expect(requests().filter((line) => !line.startsWith('GET'))).toEqual(['POST 201', 'DELETE 204']);
  });

  test('keeps one of several existing subscriptions that fit', async () => {
    for (let number = 0; number < 3; number += 1) await it.resource.subscribeByHand(fitting);
    const [first] = await idsOf();

    await it.resource.create(key);

    expect(await idsOf()).toEqual([first]);
  });

  test.each([
    ['name', { ...fitting, name: 'uploads of others' }],
    ['URL', { ...fitting, url: `${key.url}/of/others` }],
  ])('does not change subscriptions with another %s', async (_, other) => {
    await it.resource.subscribeByHand({ ...other, secret: 'theirs', events: ['*'] });

    await it.resource.create(key);
    await it.resource.remove(physicalIdOf(key), key);

    expect(await it.resource.subscriptions(other)).toMatchObject([{ secret: 'theirs', events: ['*'] }]);
  });

  test('keeps the subscription with the pending secret during a rotation', async () => {
    it.resource.state.changeSecret((changed) => changed.put('pending', 'the pending secret', ['AWSPENDING']));
    await it.resource.subscribeByHand(fitting);
    await it.resource.subscribeByHand({ ...fitting, secret: 'the pending secret' });

    await it.resource.create(key);

    expect(await idsOf()).toHaveLength(2);
  });
});

describe('when Argyle fails, a Create', () => {
  test('with a refused key names the secret to correct, and changes nothing', async () => {
    it.resource.refuseKey();

    const answer = await it.resource.create(key);

    expect(answer).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'never-made' });
    expect(answer.Reason).toContain('put a valid key into the secret argyle/api-key.');
    expect(it.resource.pauses).toEqual([]);
    // CloudFormation sends its Delete when it rolls back. That needs no key.
    expect(await it.resource.remove(answer.PhysicalResourceId, key)).toMatchObject({ Status: 'SUCCESS' });
  });

  test.each([
    ['429 with Retry-After', { status: 429, retryAfter: 7 }],
    ['429 with Retry-After: 0', { status: 429, retryAfter: 0 }],
    ['429', { status: 429 }],
    ['500', { status: 500 }],
    ['no answer', { status: 'disconnect' as const }],
    ['an answer that is lost', { status: 'disconnect' as const, isCarriedOut: true }],
    ['the HTML page of a proxy', { status: 502, body: '<html>Bad gateway</html>' }],
  ])('is retried after %s until there is one subscription', async (_, failure) => {
    const path = '/v2/webhooks';
    const failures = (['GET', 'POST'] as const).map((method) => ({ method, path, times: 2, ...failure }));
    await it.resource.argyle.setFaults({ failures });

    expect(await it.resource.create(key)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: physicalIdOf(key) });

    expect(await it.resource.subscriptions(key)).toMatchObject([fitting]);
    const minMs = Math.max(500, 1_000 * ('retryAfter' in failure ? failure.retryAfter : 0));
    expect(it.resource.pauses.length).toBeGreaterThanOrEqual(2);
    expect(it.resource.pauses.filter((milliseconds) => milliseconds < minMs)).toEqual([]);
  });

  test.each([
    ['answers with an error', { status: 503 }],
    ['does not answer', { slowMs: 30_000 }],
  ])('at an API that always %s fails within its time limit', async (_, failure) => {
    it.resource.limitWork(100);
    await it.resource.argyle.setFaults({ failures: [{ path: '/v2/webhooks', ...failure }] });

    expect(await it.resource.create(key)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'never-made' });
  });

  test('fails with the status of the last error when its time is over', async () => {
    it.resource.limitPauses(2);
    await it.resource.argyle.setFaults({ failures: [{ path: '/v2/webhooks', status: 503 }] });

    expect((await it.resource.create(key)).Reason).toContain('http_503');
  });

  test('fails with no_answer when the connection fails', async () => {
    it.resource.limitPauses(2);
    await it.resource.argyle.setFaults({ failures: [{ path: '/v2/webhooks', status: 'disconnect' }] });

    expect((await it.resource.create(key)).Reason).toContain('no_answer');
  });

  test('that may have created a subscription is undone by its own Delete', async () => {
    await it.resource.argyle.setFaults(subscribesWithAnError);
    const answer = await it.resource.create(key);
    expect(answer).toMatchObject({ Status: 'FAILED', PhysicalResourceId: physicalIdOf(key) });
    expect(await idsOf()).toHaveLength(1);
    it.resource.rollBack();

    await it.resource.remove(answer.PhysicalResourceId, key);

    expect(await idsOf()).toEqual([]);
  });
});

describe('an Update', () => {
  const next = { ...key, name: 'uploads of team 1' };
  beforeEach(async () => {
    await it.resource.create(key);
  });

  test.each([
    ['name', next],
    ['URL', { ...key, url: 'https://new.example.com/webhooks/argyle' }],
  ])('of the %s creates the new subscription and leaves the old one to its Delete', async (_, changed) => {
    const answer = await it.resource.update(physicalIdOf(key), changed);

    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: physicalIdOf(changed) });
    expect([...(await idsOf()), ...(await idsOf(changed))]).toHaveLength(2);
    await it.resource.remove(physicalIdOf(key), key);
    expect(await idsOf()).toEqual([]);
    expect(await it.resource.subscriptions(changed)).toMatchObject([{ secret }]);
  });

  test('that changes neither name nor URL repairs the subscription under the same id', async () => {
    const ids = await idsOf();
    await it.resource.subscribeByHand({ ...fitting, events: ['*'] });

    expect(await it.resource.update(physicalIdOf(key), key)).toMatchObject({ PhysicalResourceId: physicalIdOf(key) });
    expect(await idsOf()).toEqual(ids);
  });

  test('that fails keeps the id, and the Update that rolls it back removes what it created', async () => {
    await it.resource.argyle.setFaults(subscribesWithAnError);
    const failed = await it.resource.update(physicalIdOf(key), next);
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: physicalIdOf(key) });
    expect(await idsOf(next)).toHaveLength(1);
    await it.resource.argyle.clearFaults();

    await it.resource.update(physicalIdOf(key), key);

    expect(await it.resource.subscriptions(key)).toMatchObject([fitting]);
    expect(await idsOf(next)).toEqual([]);
  });

  test('that fails does not remove a subscription that existed under the new name before', async () => {
    await it.resource.subscribeByHand({ ...fitting, ...next, secret: 'another' });
    await it.resource.argyle.setFaults({ failures: [{ method: 'DELETE', path: '/v2/webhooks', status: 400 }] });
    expect(await it.resource.update(physicalIdOf(key), next)).toMatchObject({ Status: 'FAILED' });
    await it.resource.argyle.clearFaults();

    await it.resource.update(physicalIdOf(key), key);

    expect((await it.resource.subscriptions(next)).map((subscription) => subscription.secret)).toContain('another');
  });
});

describe('a Delete', () => {
  test('removes all our subscriptions, and may be repeated', async () => {
    await it.resource.create(key);
    await it.resource.subscribeByHand({ ...fitting, secret: 'another' });

    expect(await it.resource.remove(physicalIdOf(key), key)).toMatchObject({ Status: 'SUCCESS' });
    expect(await idsOf()).toEqual([]);
    expect(await it.resource.remove(physicalIdOf(key), key)).toMatchObject({ Status: 'SUCCESS' });
  });

  test('removes an adopted subscription when the stack is deleted', async () => {
    await it.resource.subscribeByHand(fitting);
    await it.resource.create(key);

    await it.resource.remove(physicalIdOf(key), key);

    expect(await idsOf()).toEqual([]);
  });

  test('keeps an adopted subscription when the stack rolls back', async () => {
    await it.resource.subscribeByHand(fitting);
    const ids = await idsOf();
    await it.resource.create(key);
    it.resource.rollBack();

    expect(await it.resource.remove(physicalIdOf(key), key)).toMatchObject({ Status: 'SUCCESS' });
    expect(await idsOf()).toEqual(ids);
    expect(it.resource.state.registry()).toEqual({});
  });

  test('removes a subscription that the stack created when it rolls back, even if the Create was repeated', async () => {
    await it.resource.create(key);
    await it.resource.create(key);
    it.resource.rollBack();

    await it.resource.remove(physicalIdOf(key), key);

    expect(await idsOf()).toEqual([]);
  });
});

test.each([
  ['an error with a payload', new SyntaxError('Unexpected token: canary of a payload'), '(SyntaxError)'],
  ['a thrown text', 'canary of a payload', '(string)'],
])('neither CloudFormation nor the operator receives the text of %s', async (_, error, name) => {
  it.resource.failRegistry(error);

  const reasons = [(await it.resource.create(key)).Reason, JSON.stringify(await it.resource.resubscribe(key))];

  for (const reason of reasons) {
    expect(reason).toContain(`${name}: see the log of the subscription function.`);
    expect(reason).not.toContain('canary');
  }
});

test('neither answers nor logs contain the secret', async () => {
  await it.resource.create(key);
  it.resource.limitPauses(0);
  for (const failure of [{ status: 500 }, { body: `{"secret": "${secret}`, status: 200 }]) {
    await it.resource.argyle.setFaults({ failures: [{ path: '/v2/webhooks', ...failure }] });
    const answer = await it.resource.update(physicalIdOf(key), key);
    expect(answer.Status).toBe('FAILED');
    expect(JSON.stringify(answer)).not.toContain(secret);
  }
  expect(it.resource.errors).toHaveLength(2);
  const logged = it.resource.errors.map(({ code, error, fields }) => [
    code,
    String(error),
    (error as Error).stack,
    fields,
  ]);
  expect(JSON.stringify(logged)).not.toContain(secret);
});
