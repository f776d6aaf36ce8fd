import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { type Argyle, idsOf, startArgyle, walk } from '../../support/fakes/argyle-api.ts';

let argyle: Argyle;
const ask: Argyle['ask'] = (...given) => argyle.ask(...given);
beforeAll(async () => {
  argyle = await startArgyle();
});
beforeEach(() => argyle.control.reset());
afterAll(() => argyle.stop());

const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const time = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const subscription = { events: eventTypes, name: 'uploads', url: 'https://example.com/webhooks/argyle', secret: 'shh' };
const nobody = '00000000-0000-0000-0000-000000000000';

describe('the key', () => {
  test.each([
    ['another id', { apiKeyId: 'other', apiKeySecret: 'key-secret' }],
    ['another secret', { apiKeyId: 'key-id', apiKeySecret: 'other' }],
    ['an empty secret', { apiKeyId: 'key-id', apiKeySecret: '' }],
  ])('%s is answered 401 with JSON, and nothing is done', async (_, credentials) => {
    const answer = await ask('POST', '/webhooks', subscription, credentials);
    expect(answer).toMatchObject({ status: 401, body: { detail: expect.any(String) } });
    expect((await argyle.control.state()).webhooks).toEqual([]);
  });

  test('no key at all is answered 401', async () => {
    expect((await fetch(`${argyle.url}/webhooks`)).status).toBe(401);
  });
});

describe('subscriptions', () => {
  test('one that is made comes back with its secret in clear, from the list and by its id too', async () => {
    const { status, body } = await ask('POST', '/webhooks', subscription);
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        ...subscription,
        id: expect.stringMatching(id),
        config: null,
        created_at: expect.stringMatching(time),
        updated_at: expect.stringMatching(time),
        last_sent_at: null,
      },
    });
    expect((await ask('GET', `/webhooks/${body.id}`)).body).toEqual(body);
    expect((await ask('GET', '/webhooks')).body).toEqual({ next: null, previous: null, results: [body] });
  });

  test('name and URL may be used again, and secret and config are a choice', async () => {
    const { secret, ...rest } = subscription;
    const config = { include: ['sample'] };
    const made = [await ask('POST', '/webhooks', rest), await ask('POST', '/webhooks', { ...rest, config })];
    expect(made).toMatchObject([
      { status: 201, body: { secret: null, config: null } },
      { status: 201, body: { secret: null, config } },
    ]);
    expect((await argyle.control.state()).webhooks).toHaveLength(2);
  });

  test.each([
    ['events', { ...subscription, events: [] }],
    ['events', { ...subscription, events: 'user_uploads.added' }],
    ['events', { ...subscription, events: ['no event'] }],
    ['name', { ...subscription, name: undefined }],
    ['url', { ...subscription, url: 'not a URL' }],
    ['url', { ...subscription, url: 'ftp://example.com' }],
    ['secret', { ...subscription, secret: 1 }],
    ['config', { ...subscription, config: [] }],
    ['url', undefined],
  ])('a wrong %s is answered 400 by that name, without the secret', async (field, body) => {
    const answer = await ask('POST', '/webhooks', body);
    expect(answer).toMatchObject({ status: 400, body: { [field]: [expect.any(String)] } });
    expect(JSON.stringify(answer.body)).not.toContain('shh');
    expect((await argyle.control.state()).webhooks).toEqual([]);
  });

  test('one that is deleted is gone with an empty answer, and unknown the second time', async () => {
    const kept = (await ask('POST', '/webhooks', subscription)).body;
    const gone = (await ask('POST', '/webhooks', subscription)).body;
    const deleted = await ask('DELETE', `/webhooks/${gone.id}`);
    expect(deleted).toMatchObject({ status: 204, body: { text: '' } });
    expect((await ask('DELETE', `/webhooks/${gone.id}`)).status).toBe(404);
    expect((await ask('GET', `/webhooks/${gone.id}`)).status).toBe(404);
    expect(idsOf(await walk(ask, '/webhooks'))).toEqual([kept.id]);
  });

  test.each(['PATCH', 'PUT'])('%s changes nothing', async (method) => {
    const { body } = await ask('POST', '/webhooks', subscription);
    expect((await ask(method, `/webhooks/${body.id}`, { ...subscription, name: 'new' })).status).toBe(405);
    expect((await ask('GET', `/webhooks/${body.id}`)).body).toEqual(body);
  });
});

describe('lists', () => {
  test('25 subscriptions come in pages of 10, each once, by links that are full URLs', async () => {
    const made: unknown[] = [];
    for (let number = 0; number < 25; number += 1) made.push((await ask('POST', '/webhooks', subscription)).body.id);

    const pages = await walk(ask, '/webhooks');

    expect(pages.map(({ results }) => (results as []).length)).toEqual([10, 10, 5]);
    expect(idsOf(pages).sort()).toEqual(made.sort());
    for (const { next } of pages.slice(0, -1)) expect(next).toMatch(new RegExp(`^${argyle.url}/webhooks\\?cursor=`));
  });

  test('450 uploads come in pages of at most 200, and the limit stays in the links', async () => {
    await argyle.control.seedUploads(450, 1);
    const pages = await walk(ask, '/user-uploads?limit=1000');
    expect(pages.map(({ results }) => (results as []).length)).toEqual([200, 200, 50]);
    expect(new Set(idsOf(pages)).size).toBe(450);
  });

  test('what comes and goes between two pages moves no other', async () => {
    await argyle.control.seedUploads(30, 1);
    const first = (await ask('GET', '/user-uploads')).body;
    const [gone = ''] = idsOf([first]);
    await argyle.control.removeUpload(gone);
    await argyle.control.uploadDocument();

    const rest = await walk(ask, String(first.next));

    expect(new Set(idsOf([first, ...rest])).size).toBe(30);
  });

  test.each(['limit=0', 'limit=x', 'limit=-1', 'cursor=x', 'cursor='])('%s is answered 400', async (query) => {
    expect((await ask('GET', `/user-uploads?${query}`)).status).toBe(400);
  });
});

test.each(['/users', '/webhooks/a/b', `/webhooks/${nobody}`, `/user-uploads/${nobody}`])(
  'there is no %s',
  async (path) => {
    expect(await ask('GET', path)).toMatchObject({ status: 404, body: { detail: expect.any(String) } });
  },
);

test('requests are counted by method, path without ids, and status', async () => {
  await ask('GET', '/webhooks?limit=5');
  await ask('GET', `/user-uploads/${nobody}`);
  await ask('GET', `/user-uploads/${nobody.replaceAll('0', 'f')}`);
  const { requests } = await argyle.control.state();
  expect(requests.byAnswer).toEqual({ 'GET /v2/webhooks 200': 1, 'GET /v2/user-uploads/{id} 404': 2 });
  expect(requests.mostInOneSecond).toBeGreaterThanOrEqual(1);
});
