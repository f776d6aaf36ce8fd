import { afterAll, beforeEach, expect, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { startArgyle } from '../../support/fakes/argyle-api.ts';

const argyle = await startArgyle();
const { ask, control } = argyle;
beforeEach(() => control.reset());
afterAll(argyle.stop);

const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
const subscription = { events: eventTypes, name: 'uploads', url: 'https://example.com/webhooks/argyle', secret: 'shh' };
const unknownId = '00000000-0000-0000-0000-000000000000';

test.each([
  ['another id', { apiKeyId: 'other', apiKeySecret: 'key-secret' }],
  ['another secret', { apiKeyId: 'key-id', apiKeySecret: 'other' }],
  ['an empty secret', { apiKeyId: 'key-id', apiKeySecret: '' }],
])('a key with %s, or no key, is answered 401 with JSON and without effect', async (_, credentials) => {
  const answer = await ask('POST', '/webhooks', subscription, credentials);
  expect(answer).toMatchObject({ status: 401, body: { detail: expect.any(String) } });
  expect((await fetch(`${argyle.url}/webhooks`)).status).toBe(401);
  expect((await control.state()).webhooks).toEqual([]);
});

test('creation, the list and reading by id return the subscription with its secret in clear', async () => {
  const { status, body } = await ask('POST', '/webhooks', subscription);
  const generated = { id: expect.stringMatching(id), config: null, created_at: time, updated_at: time };
  expect({ status, body }).toEqual({ status: 201, body: { ...subscription, ...generated, last_sent_at: null } });
  expect((await ask('GET', `/webhooks/${body.id}`)).body).toEqual(body);
  expect((await ask('GET', '/webhooks')).body).toEqual({ next: null, previous: null, results: [body] });
});

test('name and URL need not be unique, and secret and config are optional', async () => {
  const { secret, ...rest } = subscription;
  const config = { include: ['sample'] };
  for (const facts of [
    { secret: null, config: null },
    { secret: null, config },
    { secret, config: null },
  ])
    expect(await ask('POST', '/webhooks', { ...rest, ...facts })).toMatchObject({ status: 201, body: facts });
  expect(await ask('POST', '/webhooks', rest)).toMatchObject({ body: { secret: null, config: null } });
  expect((await control.state()).webhooks).toHaveLength(4);
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
])('an invalid %s is answered 400 with that field, without the secret', async (field, body) => {
  const answer = await ask('POST', '/webhooks', body);
  expect(answer).toMatchObject({ status: 400, body: { [field]: [expect.any(String)] } });
  expect(JSON.stringify(answer.body)).not.toContain('shh');
  expect((await control.state()).webhooks).toEqual([]);
});

test('a deleted subscription is unknown; PATCH and PUT change nothing', async () => {
  const kept = (await ask('POST', '/webhooks', subscription)).body;
  const deleted = (await ask('POST', '/webhooks', subscription)).body;
  expect(await ask('DELETE', `/webhooks/${deleted.id}`)).toMatchObject({ status: 204, body: { text: '' } });
  for (const method of ['DELETE', 'GET']) expect((await ask(method, `/webhooks/${deleted.id}`)).status).toBe(404);
  for (const method of ['PATCH', 'PUT'])
    expect((await ask(method, `/webhooks/${kept.id}`, { ...subscription, name: 'new' })).status).toBe(405);
  expect((await ask('GET', '/webhooks')).body.results).toEqual([kept]);
});

test('25 subscriptions are in pages of 10, each once, with full URLs as links', async () => {
  const created: unknown[] = [];
  while (created.length < 25) created.push((await ask('POST', '/webhooks', subscription)).body.id);
  const pages = await argyle.list('/webhooks');
  expect(pages.map(({ length }) => length)).toEqual([10, 10, 5]);
  expect(pages.flat().sort()).toEqual(created.sort());
  expect((await ask('GET', '/webhooks')).body.next).toContain(`${argyle.url}/webhooks?cursor=`);
});

test('450 uploads are in pages of at most 200', async () => {
  await control.seedUploads(450, 1);
  const pages = await argyle.list('/user-uploads?limit=1000');
  expect(pages.map(({ length }) => length)).toEqual([200, 200, 50]);
  expect(new Set(pages.flat()).size).toBe(450);
});

test('changes between two requests do not move other items to another page', async () => {
  await control.seedUploads(30, 1);
  const { next } = (await ask('GET', '/user-uploads')).body;
  const [first = []] = await argyle.list('/user-uploads');
  await control.removeUpload(first[0] ?? '');
  await control.uploadDocument();
  expect(new Set([...first, ...(await argyle.list(String(next))).flat()]).size).toBe(30);
});
test.each([
  ...['limit=0', 'limit=x', 'limit=-1', 'cursor=x', 'cursor='].map((query) => [400, `/user-uploads?${query}`] as const),
  ...['/users', '/webhooks/a/b', `/webhooks/${unknownId}`, `/user-uploads/${unknownId}`].map(
    (path) => [404, path] as const,
  ),
])('%i answers %s', async (status, path) => {
  expect(await ask('GET', path)).toMatchObject({ status, body: { detail: expect.any(String) } });
});

test('requests are counted by method, path without ids, and status', async () => {
  for (const path of ['/webhooks?limit=5', `/user-uploads/${unknownId}`, `/user-uploads/${unknownId}`])
    await ask('GET', path);
  const { requests } = await control.state();
  expect(requests.byAnswer).toEqual({ 'GET /v2/webhooks 200': 1, 'GET /v2/user-uploads/{id} 404': 2 });
  expect(requests.maxInOneSecond).toBeGreaterThanOrEqual(1);
});
