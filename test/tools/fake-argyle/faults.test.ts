import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { startArgyle } from '../../support/fakes/argyle-api.ts';
import { startReceiver } from '../../support/fakes/webhook-receiver.ts';

const lines: string[] = [];
const argyle = await startArgyle({ onLog: (line) => lines.push(line) });
const { ask, control } = argyle;
beforeEach(() => control.reset());
afterAll(argyle.stop);

const subscription = { events: ['*'], name: 'uploads', url: 'https://example.com/' };
const get = (path: string) => ask('GET', path);
const statuses = async (method: string, path: string, count: number) => {
  const answers: number[] = [];
  const body = method === 'POST' ? subscription : undefined;
  while (answers.length < count) answers.push((await ask(method, path, body)).status);
  return answers;
};

test.each([400, 401, 404, 429, 500, 503])('%i is answered as often as configured', async (status) => {
  await control.setFaults({ failures: [{ path: '/v2/webhooks', status, times: 2 }] });
  expect(await statuses('POST', '/webhooks', 3)).toEqual([status, status, 201]);
  expect((await control.state()).webhooks).toHaveLength(1);
});

test.each([7, 'Tue, 24 Nov 2026 10:00:00 GMT', undefined])('Retry-After %j is sent unchanged', async (retryAfter) => {
  const failure = { path: '/v2/', status: 429, ...(retryAfter !== undefined && { retryAfter }) };
  await control.setFaults({ failures: [failure] });
  expect((await get('/user-uploads')).headers.get('retry-after')).toBe(retryAfter?.toString() ?? null);
});

test('a failure applies to its method and path only, and ends when the faults are cleared', async () => {
  const { userUpload } = await control.uploadDocument();
  const answers = async () => {
    const paths = [`/user-uploads/${userUpload}`, '/user-uploads?limit=5', '/webhooks'];
    const reads = await Promise.all(paths.map(get));
    return [...reads, await ask('POST', '/webhooks', subscription)].map(({ status }) => status);
  };
  await control.setFaults({ failures: [{ path: '/v2/user-uploads/', status: 500 }] });
  expect(await answers()).toEqual([500, 200, 200, 201]);
  await control.setFaults({ failures: [{ path: '/v2/user-uploads?', status: 500 }] });
  expect(await answers()).toEqual([200, 500, 200, 201]);
  await control.setFaults({ failures: [{ method: 'POST', path: '/v2/', status: 500 }] });
  expect(await answers()).toEqual([200, 200, 200, 500]);
  await control.clearFaults();
  expect(await answers()).toEqual([200, 200, 200, 201]);
});

test('a seeded share of the requests fails', async () => {
  const run = async (seed: number) => {
    await control.setFaults({ failures: [{ path: '/v2/', status: 500, rate: 0.5 }], seed });
    return statuses('GET', '/user-uploads', 40);
  };
  const first = await run(1);
  expect(await run(1)).toEqual(first);
  expect(await run(2)).not.toEqual(first);
  expect(new Set(first)).toEqual(new Set([200, 500]));
});

test('a request can take effect although its answer is lost, but never without the key', async () => {
  const lost = { method: 'POST', path: '/v2/webhooks', isCarriedOut: true, times: 1 };
  await control.setFaults({ failures: [{ ...lost, status: 500 }] });
  expect((await ask('POST', '/webhooks', subscription)).status).toBe(500);
  await control.setFaults({ failures: [{ ...lost, status: 'disconnect' }] });
  await expect(ask('POST', '/webhooks', subscription)).rejects.toThrow();
  await control.setFaults({ failures: [{ ...lost, status: 500 }] });
  await ask('POST', '/webhooks', subscription, { apiKeyId: 'key-id', apiKeySecret: 'wrong' });
  expect((await control.state()).webhooks).toHaveLength(2);
});

test('an answer can be slow, or not JSON', async () => {
  await control.setFaults({ failures: [{ path: '/v2/', slowMs: 100, times: 1 }] });
  const startMs = performance.now();
  expect((await get('/webhooks')).status).toBe(200);
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(98);

  await control.setFaults({ failures: [{ path: '/v2/', status: 502, body: '<h1>Bad gateway</h1>' }] });
  expect(await get('/webhooks')).toMatchObject({ status: 502, body: { text: '<h1>Bad gateway</h1>' } });
});

test.each([undefined, 1])(
  'only requests beyond the rate limit are answered 429, with Retry-After %j',
  async (retryAfter) => {
    // Even on a slow machine, two of so many concurrent requests come within a second.
    const getMany = () => Promise.all(Array.from({ length: 60 }, () => get('/webhooks')));
    expect((await getMany()).filter(({ status }) => status !== 200)).toEqual([]);
    await control.setFaults({ rateLimit: { perSecond: 1, ...(retryAfter && { retryAfter }) } });
    const refused = (await getMany()).filter(({ status }) => status === 429);
    const headers = new Set(refused.map((answer) => answer.headers.get('retry-after')));
    expect(headers).toEqual(new Set([retryAfter ? String(retryAfter) : null]));
    expect((await control.state()).requests.maxInOneSecond).toBeGreaterThan(1);
  },
);

test('the log contains neither secrets nor bodies', async () => {
  const receiver = await startReceiver();
  onTestFinished(receiver.stop);
  const id = await argyle.subscribe(receiver.url, { name: 'MARKER', secret: 'MARKER' });
  const { userUpload } = await control.uploadDocument({ fileName: 'MARKER.pdf' });
  await expect.poll(() => lines).toContain(`user_uploads.added ${userUpload} to webhook ${id}: 200`);
  expect(lines).toContain('POST /v2/webhooks 201');
  expect(lines.join('\n')).not.toMatch(/MARKER|key-secret/);
});

test('a taken port is an error with its code', async () => {
  const port = Number(new URL(argyle.url).port);
  await expect(startArgyle({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('the fake exits with the process that started it', async () => {
  const path = new URL('../../../tools/fake-argyle/fake-argyle.ts', import.meta.url).href;
  const code = `const { startFakeArgyle } = await import('${path}');
    console.log((await startFakeArgyle({ port: 0, apiKeyId: 'k', apiKeySecret: 's' })).url);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [url] = await once(createInterface({ input: parent.stdout }), 'line');
  // A request would be logged, and a fake exits when nothing reads its log.
  const isListening = async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const isConnected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    return isConnected;
  };
  expect(await isListening()).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(isListening, { timeout: 100_000 }).toBe(false);
});

test('a key of another workspace sees its documents and subscriptions, and changes nothing in ours', async () => {
  const { userUpload } = await control.uploadDocument();
  await argyle.subscribe('https://example.com/');
  await control.setFaults({ otherWorkspace: { uploads: 3, seed: 1 } });
  expect((await argyle.list('/user-uploads')).flat()).toHaveLength(3);
  expect((await get(`/user-uploads/${userUpload}`)).status).toBe(404);
  expect(await argyle.list('/webhooks')).toEqual([[]]);
  expect(await statuses('POST', '/webhooks', 1)).toEqual([201]);
  expect((await argyle.list('/webhooks')).flat()).toHaveLength(1);
  expect((await control.state()).webhooks).toMatchObject([{ name: 'uploads' }]);

  await control.clearFaults();
  expect((await argyle.list('/user-uploads')).flat()).toEqual([userUpload]);
  expect((await argyle.list('/webhooks')).flat()).toHaveLength(1);
});

test('a cycling list starts again after its last page', async () => {
  await control.seedUploads(3, 1);
  await control.setFaults({ cyclingLists: true });
  const pages = await argyle.list('/user-uploads?limit=2', 5);
  expect(pages).toEqual([pages[0], pages[1], pages[0], pages[1], pages[0]]);
  expect(await argyle.list('/webhooks', 3)).toEqual([[], [], []]);
});

test('the fields of a new subscription are shortened as configured', async () => {
  await control.setFaults({ maxLengths: { name: 3, secret: 2 } });
  const created = (await ask('POST', '/webhooks', { ...subscription, secret: 'secret' })).body;
  expect(created).toMatchObject({ name: 'upl', secret: 'se', url: subscription.url });
  expect((await get(`/webhooks/${created.id}`)).body).toMatchObject({ name: 'upl', secret: 'se' });
});
