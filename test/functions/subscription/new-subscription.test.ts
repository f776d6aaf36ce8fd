import { describe, expect, test } from 'vitest';
import { fitting, key, useCustomResource } from './set-up.ts';

const { it, idsOf, requests } = useCustomResource();

describe('what Argyle stores', () => {
  const requested = { ...key, name: 'uploads of team 1' };
  const all = async () => (await it.resource.argyle.state()).webhooks;

  test.each([
    ['name', { name: 7 }],
    ['url', { url: 30 }],
    ['secret', { secret: 10 }],
    ['name, url, secret', { name: 7, url: 30, secret: 10 }],
  ])('must be the requested %s: otherwise the Create fails and removes what it created', async (fields, maxLengths) => {
    await it.resource.subscribeByHand({ ...fitting, name: 'of others' });
    const before = await all();
    await it.resource.argyle.setFaults({ maxLengths });

    const answer = await it.resource.create(requested);

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
    await it.resource.argyle.setFaults({ failures: [{ method: 'GET', path: '/v2/webhooks/', ...failure }] });

    expect(await it.resource.create(key)).toMatchObject({ Status: status });
    expect(await idsOf()).toHaveLength(count);
  });

  test('is named in the reason when it cannot be removed again', async () => {
    const failures = [{ method: 'DELETE', path: '/v2/webhooks/', status: 400 }];
    await it.resource.argyle.setFaults({ maxLengths: { name: 7 }, failures });

    const { Reason } = await it.resource.create(requested);

    const [left] = await all();
    expect(Reason).toContain(`Delete it in Argyle's console: its id is ${left?.id}.`);
  });

  test('is not named by an id that is not printable', async () => {
    const body = JSON.stringify({ id: '\u001b[31mcanary' });
    const failures = [
      { method: 'POST', path: '/v2/webhooks', status: 200, body },
      { method: 'DELETE', path: '/v2/webhooks/', status: 400 },
    ];
    await it.resource.argyle.setFaults({ failures });

    expect((await it.resource.create(key)).Reason).toContain('its id is unreadable.');
  });

  test('cannot be checked when the answer has no id', async () => {
    await it.resource.argyle.setFaults({
      failures: [{ method: 'POST', path: '/v2/webhooks', status: 200, body: '{}' }],
    });

    expect((await it.resource.create(key)).Reason).toContain('has no id');
    expect(requests().filter((line) => line.startsWith('POST'))).toHaveLength(1);
  });

  test('is created at most six times in one run, even if no answer arrives', async () => {
    const lost = { method: 'POST', path: '/v2/webhooks', status: 'disconnect' as const, isCarriedOut: true };
    await it.resource.argyle.setFaults({ failures: [lost], maxLengths: { name: 7 } });

    const { Reason } = await it.resource.create(requested);

    expect(Reason).toContain('asked 6 times to create a subscription');
    expect(await all()).toHaveLength(6);
  });
});
