import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { physicalIdOf } from '../../../functions/domain/subscription-registry.ts';
import {
  type CustomResource,
  createCustomResource,
  type Surroundings,
  startSurroundings,
} from '../../support/fakes/custom-resource.ts';

const secret = 'canary-of-the-webhook-secret';
const key = { url: 'https://api.example.com/webhooks/argyle', name: 'uploads' };
const fitting = { ...key, events: eventTypes, secret };

// The request is carried out, and its answer does not come before the function's time is over.
const subscribesWithoutAnAnswer = {
  failures: [{ method: 'POST', path: '/v2/webhooks', isCarriedOut: true, slowMs: 30_000 }],
};

let resource: CustomResource;
let surroundings: Surroundings;
beforeAll(async () => {
  surroundings = await startSurroundings();
});
afterAll(() => surroundings.stop());
beforeEach(async () => {
  resource = await createCustomResource(surroundings, secret);
});

const idsOf = async (wanted = key) => (await resource.subscriptions(wanted)).map(({ id }) => id);
const requests = () => resource.argyleLines.map((line) => line.replace(/\/v2\/webhooks.*? (?=\d+$)/, ''));

describe('a Create', () => {
  test('subscribes to the events of the catalogue with the current secret', async () => {
    expect(await resource.create(key)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: physicalIdOf(key) });
    expect(await resource.subscriptions(key)).toMatchObject([fitting]);
  });

  test('that is repeated changes nothing', async () => {
    const first = await resource.create(key);
    const ids = await idsOf();

    expect(await resource.create(key)).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: first.PhysicalResourceId,
    });
    expect(await idsOf()).toEqual(ids);
  });

  test('adopts the own subscription that fits, also beyond 200 of others', async () => {
    // It is on no first page, whichever end the list begins at.
    for (let number = 0; number < 402; number += 1)
      await resource.subscribeByHand(number === 201 ? fitting : { ...fitting, name: `other ${number}` });
    const ids = (await resource.argyle.state()).webhooks.map(({ id }) => id);

    expect(await resource.create(key)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: physicalIdOf(key) });
    expect((await resource.argyle.state()).webhooks.map(({ id }) => id)).toEqual(ids);
  });

  test.each([
    ['lacks an event', { events: eventTypes.slice(1) }],
    ['has an event more', { events: [...eventTypes, 'accounts.connected'] }],
    ['lists all events', { events: ['*'] }],
    ['has another secret', { secret: 'another' }],
    ['has no secret', { secret: undefined }],
  ])('replaces the own subscription that %s, without a gap', async (_, difference) => {
    await resource.subscribeByHand({ ...fitting, ...difference });
    const [old] = await idsOf();
    resource.argyleLines.length = 0;

    await resource.create(key);

    expect(await resource.subscriptions(key)).toMatchObject([fitting]);
    expect(await idsOf()).not.toContain(old);
    expect(requests().filter((line) => !line.startsWith('GET'))).toEqual(['POST 201', 'DELETE 204']);
  });

  test('keeps one of several own subscriptions that fit', async () => {
    for (let number = 0; number < 3; number += 1) await resource.subscribeByHand(fitting);
    const [first] = await idsOf();

    await resource.create(key);

    expect(await idsOf()).toEqual([first]);
  });

  test.each([
    ['name', { ...fitting, name: 'uploads of others' }],
    ['URL', { ...fitting, url: `${key.url}/of/others` }],
  ])("does not touch others' subscriptions with the same %s alone", async (_, other) => {
    await resource.subscribeByHand({ ...other, secret: 'theirs', events: ['*'] });

    await resource.create(key);
    await resource.remove(physicalIdOf(key), key);

    expect(await resource.subscriptions(other)).toMatchObject([{ secret: 'theirs', events: ['*'] }]);
  });

  test('keeps what a rotation under way has subscribed with the pending secret', async () => {
    resource.world.changeSecret((changed) => changed.put('pending', 'the pending secret', ['AWSPENDING']));
    await resource.subscribeByHand(fitting);
    await resource.subscribeByHand({ ...fitting, secret: 'the pending secret' });

    await resource.create(key);

    expect(await idsOf()).toHaveLength(2);
  });
});

describe('when Argyle has trouble, a Create', () => {
  test('that is refused the key fails with a sentence that names the secret to mend, and has changed nothing', async () => {
    resource.refuseKey();

    const answer = await resource.create(key);

    expect(answer).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'never-made' });
    expect(answer.Reason).toContain('put a valid one');
    expect(answer.Reason).toContain('into the secret argyle/api-key.');
    expect(resource.pauses).toEqual([]);
    // Its Delete, which CloudFormation sends when it rolls back, needs no key.
    expect(await resource.remove(answer.PhysicalResourceId, key)).toMatchObject({ Status: 'SUCCESS' });
  });

  test.each([
    ['429 with Retry-After', { status: 429, retryAfter: 7 }],
    ['429', { status: 429 }],
    ['500', { status: 500 }],
    ['no answer', { status: 'disconnect' as const }],
    ['an answer that is lost', { status: 'disconnect' as const, isCarriedOut: true }],
    ['a page of a proxy', { status: 502, body: '<html>Bad gateway</html>' }],
  ])('that meets %s tries again until it is subscribed once', async (_, failure) => {
    const path = '/v2/webhooks';
    const failures = (['GET', 'POST'] as const).map((method) => ({ method, path, times: 2, ...failure }));
    await resource.argyle.setFaults({ failures });

    expect(await resource.create(key)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: physicalIdOf(key) });

    expect(await resource.subscriptions(key)).toMatchObject([fitting]);
    const shortestMs = 'retryAfter' in failure ? 7_000 : 500;
    expect(resource.pauses.length).toBeGreaterThanOrEqual(2);
    expect(resource.pauses.filter((milliseconds) => milliseconds < shortestMs)).toEqual([]);
  });

  test.each([
    ['always fails', { status: 503 }],
    ['never answers', { slowMs: 30_000 }],
  ])('at an API that %s is answered all the same, within its time', async (_, failure) => {
    resource.limitWork(1_000);
    await resource.argyle.setFaults({ failures: [{ path: '/v2/webhooks', ...failure }] });

    expect(await resource.create(key)).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'never-made' });
  });

  test('that may have left a subscription behind has it removed by its own Delete', async () => {
    await resource.argyle.setFaults(subscribesWithoutAnAnswer);
    resource.limitWork(1_000);
    const answer = await resource.create(key);
    expect(answer).toMatchObject({ Status: 'FAILED', PhysicalResourceId: physicalIdOf(key) });
    expect(await idsOf()).toHaveLength(1);
    resource.rollBack();

    await resource.remove(answer.PhysicalResourceId, key);

    expect(await idsOf()).toEqual([]);
  });
});

describe('an Update', () => {
  beforeEach(async () => {
    await resource.create(key);
  });

  test.each([
    ['name', { ...key, name: 'uploads of team 1' }],
    ['URL', { ...key, url: 'https://new.example.com/webhooks/argyle' }],
  ])('of the %s makes the new subscription and leaves the old one to its Delete', async (_, next) => {
    const answer = await resource.update(physicalIdOf(key), next);

    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: physicalIdOf(next) });
    expect([...(await idsOf()), ...(await idsOf(next))]).toHaveLength(2);
    await resource.remove(physicalIdOf(key), key);
    expect(await idsOf()).toEqual([]);
    expect(await resource.subscriptions(next)).toMatchObject([{ secret }]);
  });

  test('that changes neither mends the subscription under the same id', async () => {
    const [{ id = '' } = {}] = await resource.subscriptions(key);
    await resource.subscribeByHand({ ...fitting, events: ['*'] });

    expect(await resource.update(physicalIdOf(key), key)).toMatchObject({ PhysicalResourceId: physicalIdOf(key) });
    expect(await idsOf()).toEqual([id]);
  });

  test('that fails leaves the id as it was, and the Update back removes what it made', async () => {
    const next = { ...key, name: 'uploads of team 1' };
    await resource.argyle.setFaults(subscribesWithoutAnAnswer);
    resource.limitWork(1_000);
    const failed = await resource.update(physicalIdOf(key), next);
    expect(failed).toMatchObject({ Status: 'FAILED', PhysicalResourceId: physicalIdOf(key) });
    expect(await idsOf(next)).toHaveLength(1);
    await resource.argyle.clearFaults();

    await resource.update(physicalIdOf(key), key);

    expect(await resource.subscriptions(key)).toMatchObject([fitting]);
    expect(await idsOf(next)).toEqual([]);
  });

  test('that fails does not remove what was there before under the new name', async () => {
    const next = { ...key, name: 'uploads of team 1' };
    await resource.subscribeByHand({ ...fitting, ...next, secret: 'another' });
    await resource.argyle.setFaults({ failures: [{ method: 'DELETE', path: '/v2/webhooks', status: 500 }] });
    resource.limitWork(500);
    expect(await resource.update(physicalIdOf(key), next)).toMatchObject({ Status: 'FAILED' });
    await resource.argyle.clearFaults();

    await resource.update(physicalIdOf(key), key);

    expect((await resource.subscriptions(next)).map((subscription) => subscription.secret)).toContain('another');
  });
});

describe('a Delete', () => {
  test('removes the own subscriptions, however many there are', async () => {
    await resource.create(key);
    await resource.subscribeByHand({ ...fitting, secret: 'another' });

    expect(await resource.remove(physicalIdOf(key), key)).toMatchObject({ Status: 'SUCCESS' });
    expect(await idsOf()).toEqual([]);
    expect(await resource.remove(physicalIdOf(key), key)).toMatchObject({ Status: 'SUCCESS' });
  });

  test('removes an adopted subscription when the stack goes', async () => {
    await resource.subscribeByHand(fitting);
    await resource.create(key);

    await resource.remove(physicalIdOf(key), key);

    expect(await idsOf()).toEqual([]);
  });

  test('leaves an adopted subscription when the stack goes back to what it was', async () => {
    await resource.subscribeByHand(fitting);
    const ids = await idsOf();
    await resource.create(key);
    resource.rollBack();

    expect(await resource.remove(physicalIdOf(key), key)).toMatchObject({ Status: 'SUCCESS' });
    expect(await idsOf()).toEqual(ids);
    expect(resource.world.memory()).toEqual({});
  });

  test('removes a subscription that the stack made, when it goes back, even if the Create was repeated', async () => {
    await resource.create(key);
    await resource.create(key);
    resource.rollBack();

    await resource.remove(physicalIdOf(key), key);

    expect(await idsOf()).toEqual([]);
  });
});

test('neither what is answered nor what is logged holds the secret', async () => {
  resource.limitWork(500);
  await resource.create(key);
  for (const failure of [{ status: 500 }, { body: `{"secret": "${secret}`, status: 200 }]) {
    await resource.argyle.setFaults({ failures: [{ path: '/v2/webhooks', ...failure }] });
    const answer = await resource.update(physicalIdOf(key), key);
    expect(answer.Status).toBe('FAILED');
    expect(JSON.stringify(answer)).not.toContain(secret);
  }
  expect(resource.errors.length).toBe(2);
  const logged = resource.errors.map(({ code, error, fields }) => [
    code,
    String(error),
    (error as Error).stack,
    fields,
  ]);
  expect(JSON.stringify(logged)).not.toContain(secret);
});
