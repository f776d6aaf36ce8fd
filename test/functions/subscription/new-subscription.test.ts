import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import {
  type CustomResource,
  createCustomResource,
  type FakeServers,
  startFakeServers,
} from '../../support/fakes/custom-resource.ts';

const secret = 'canary-of-the-webhook-secret';
const key = { url: 'https://api.example.com/webhooks/argyle', name: 'uploads' };
const fitting = { ...key, events: eventTypes, secret };

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

describe('what Argyle stores', () => {
  const requested = { ...key, name: 'uploads of team 1' };
  const all = async () => (await resource.argyle.state()).webhooks;

  test.each([
    ['name', { name: 7 }],
    ['url', { url: 30 }],
    ['secret', { secret: 10 }],
    ['name, url, secret', { name: 7, url: 30, secret: 10 }],
  ])('must be the requested %s: otherwise the Create fails and removes what it created', async (fields, maxLengths) => {
    await resource.subscribeByHand({ ...fitting, name: 'of others' });
    const before = await all();
    await resource.argyle.setFaults({ maxLengths });

    const answer = await resource.create(requested);

    expect(answer.Status).toBe('FAILED');
    expect(answer.Reason).toBe(
      `Argyle stored the new subscription with another ${fields} than requested, so it was removed again.`,
    );
    expect(await all()).toEqual(before);
    expect(requests().filter((line) => line.startsWith('POST'))).toHaveLength(2);
  });

  test.each([
    ['is unavailable', { status: 503, times: 4 }, 'SUCCESS', 1],
    ['knows it only later', { status: 404, times: 4 }, 'SUCCESS', 1],
    ['stays unavailable', { status: 503, times: 5 }, 'FAILED', 0],
    ['refuses', { status: 400 }, 'FAILED', 0],
  ])('is read again while Argyle %s', async (_, failure, status, count) => {
    await resource.argyle.setFaults({ failures: [{ method: 'GET', path: '/v2/webhooks/', ...failure }] });

    expect(await resource.create(key)).toMatchObject({ Status: status });
    expect(await idsOf()).toHaveLength(count);
  });

  test('is named in the reason when it cannot be removed again', async () => {
    const failures = [{ method: 'DELETE', path: '/v2/webhooks/', status: 400 }];
    await resource.argyle.setFaults({ maxLengths: { name: 7 }, failures });

    const { Reason } = await resource.create(requested);

    const [left] = await all();
    expect(Reason).toContain(`Delete it in Argyle's console: its id is ${left?.id}.`);
  });

  test('is not named by an id that is not printable', async () => {
    const body = JSON.stringify({ id: '\u001b[31mcanary' });
    const failures = [
      { method: 'POST', path: '/v2/webhooks', status: 200, body },
      { method: 'DELETE', path: '/v2/webhooks/', status: 400 },
    ];
    await resource.argyle.setFaults({ failures });

    expect((await resource.create(key)).Reason).toContain('its id is unreadable.');
  });

  test('cannot be checked when the answer has no id', async () => {
    await resource.argyle.setFaults({ failures: [{ method: 'POST', path: '/v2/webhooks', status: 200, body: '{}' }] });

    expect((await resource.create(key)).Reason).toContain('has no id');
    expect(requests().filter((line) => line.startsWith('POST'))).toHaveLength(1);
  });

  test('is created at most six times in one run, even if no answer arrives', async () => {
    const lost = { method: 'POST', path: '/v2/webhooks', status: 'disconnect' as const, isCarriedOut: true };
    await resource.argyle.setFaults({ failures: [lost], maxLengths: { name: 7 } });

    const { Reason } = await resource.create(requested);

    expect(Reason).toContain('asked 6 times to create a subscription');
    expect(await all()).toHaveLength(6);
  });
});
