import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Argyle, idsOf, startArgyle } from '../../support/fakes/argyle-api.ts';

let argyle: Argyle;
const ask: Argyle['ask'] = (...given) => argyle.ask(...given);
beforeAll(async () => {
  argyle = await startArgyle();
});
beforeEach(() => argyle.control.reset());
afterAll(() => argyle.stop());

const subscription = { events: ['*'], name: 'uploads', url: 'https://example.com/' };
const statuses = async (method: string, path: string, count: number) => {
  const answers: number[] = [];
  const body = method === 'POST' ? subscription : undefined;
  while (answers.length < count) answers.push((await ask(method, path, body)).status);
  return answers;
};
const get = (path: string) => ask('GET', path);

test.each([400, 401, 404, 429, 500, 503])('%i is answered as often as told, then the truth', async (status) => {
  await argyle.control.setFaults({ failures: [{ path: '/v2/webhooks', status, times: 2 }] });
  expect(await statuses('POST', '/webhooks', 3)).toEqual([status, status, 201]);
  expect((await argyle.control.state()).webhooks).toHaveLength(1);
});

test.each([
  [7, '7'],
  ['Tue, 24 Nov 2026 10:00:00 GMT', 'Tue, 24 Nov 2026 10:00:00 GMT'],
  [undefined, null],
])('Retry-After %j is sent as it is', async (retryAfter, header) => {
  const failure = { path: '/v2/', status: 429, ...(retryAfter !== undefined && { retryAfter }) };
  await argyle.control.setFaults({ failures: [failure] });
  expect((await get('/user-uploads')).headers.get('retry-after')).toBe(header);
});

test('a failure hits its method and its path only, and ends when the faults are cleared', async () => {
  const { userUpload } = await argyle.control.uploadDocument();
  const single = `/user-uploads/${userUpload}`;
  const answers = async () =>
    Promise.all([
      ...[single, '/user-uploads?limit=5', '/webhooks'].map(async (path) => (await get(path)).status),
      ask('POST', '/webhooks', subscription).then(({ status }) => status),
    ]);
  await argyle.control.setFaults({ failures: [{ path: '/v2/user-uploads/', status: 500 }] });
  expect(await answers()).toEqual([500, 200, 200, 201]);
  await argyle.control.setFaults({ failures: [{ path: '/v2/user-uploads?', status: 500 }] });
  expect(await answers()).toEqual([200, 500, 200, 201]);
  await argyle.control.setFaults({ failures: [{ method: 'POST', path: '/v2/', status: 500 }] });
  expect(await answers()).toEqual([200, 200, 200, 500]);
  await argyle.control.clearFaults();
  expect(await answers()).toEqual([200, 200, 200, 201]);
});

test('a seeded share of the requests fails', async () => {
  const run = async (seed: number) => {
    await argyle.control.setFaults({ failures: [{ path: '/v2/', status: 500, rate: 0.5 }], seed });
    return statuses('GET', '/user-uploads', 40);
  };
  const first = await run(1);
  expect(await run(1)).toEqual(first);
  expect(await run(2)).not.toEqual(first);
  expect(new Set(first)).toEqual(new Set([200, 500]));
});

test('a request can be carried out although its answer is lost', async () => {
  const lost = { method: 'POST', path: '/v2/webhooks', isCarriedOut: true, times: 1 };
  await argyle.control.setFaults({ failures: [{ ...lost, status: 500 }] });
  expect((await ask('POST', '/webhooks', subscription)).status).toBe(500);
  await argyle.control.setFaults({ failures: [{ ...lost, status: 'disconnect' }] });
  await expect(ask('POST', '/webhooks', subscription)).rejects.toThrow();
  expect(idsOf([(await get('/webhooks')).body])).toHaveLength(2);
});

test('nobody without the key gets anything carried out', async () => {
  await argyle.control.setFaults({ failures: [{ path: '/v2/', status: 500, isCarriedOut: true }] });
  await ask('POST', '/webhooks', subscription, { apiKeyId: 'key-id', apiKeySecret: 'wrong' });
  expect((await argyle.control.state()).webhooks).toEqual([]);
});

test('an answer can be slow and right, or no JSON at all', async () => {
  await argyle.control.setFaults({ failures: [{ path: '/v2/', slowMs: 100, times: 1 }] });
  const startMs = performance.now();
  expect((await get('/webhooks')).status).toBe(200);
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(98);

  await argyle.control.setFaults({ failures: [{ path: '/v2/', status: 502, body: '<h1>Bad gateway</h1>' }] });
  expect(await get('/webhooks')).toMatchObject({ status: 502, body: { text: '<h1>Bad gateway</h1>' } });
});

describe('the rate limit', () => {
  test('is off until it is set', async () => {
    const answers = await Promise.all(Array.from({ length: 80 }, () => get('/webhooks')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  test.each([undefined, 1])('answers 429 beyond it, with Retry-After only if told: %j', async (retryAfter) => {
    await argyle.control.setFaults({ rateLimit: { perSecond: 1, ...(retryAfter && { retryAfter }) } });
    // However slow this machine is: of so many at once, two come within a second.
    const answers = await Promise.all(Array.from({ length: 40 }, () => get('/webhooks')));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(new Set(refused.map(({ headers }) => headers.get('retry-after')))).toEqual(
      new Set([retryAfter ? String(retryAfter) : null]),
    );
    expect((await argyle.control.state()).requests.mostInOneSecond).toBeGreaterThan(1);
  });
});

test('links can point to another origin', async () => {
  await argyle.control.seedUploads(20, 1);
  await argyle.control.setFaults({ linkOrigin: 'https://elsewhere.example.com' });
  expect((await get('/user-uploads')).body.next).toMatch(
    /^https:\/\/elsewhere\.example\.com\/v2\/user-uploads\?cursor=/,
  );
});

test('a control that does not make sense is refused with a sentence, and the fake goes on', async () => {
  await expect(argyle.control.seedUploads(-1, 1)).rejects.toThrow('count and seed');
  await expect(argyle.control.setFaults({ failures: [{ status: 500 } as never] })).rejects.toThrow('path');
  const broken = await fetch(`${argyle.controlUrl}/faults`, { method: 'POST', body: '{"failures": 1}' });
  expect(broken.status).toBeGreaterThanOrEqual(400);
  expect((await fetch(`${argyle.controlUrl}/nothing`)).status).toBe(404);
  expect((await get('/webhooks')).status).toBe(200);
});
