import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type ArgyleFailure,
  type AskArgyle,
  argyleError,
  createAskArgyle,
  readPage,
} from '../../../functions/argyle/argyle-api.ts';

let server: Server | undefined;
afterEach(() => {
  vi.restoreAllMocks();
  server?.closeAllConnections();
  server?.close();
});

describe('a request to Argyle', () => {
  it('sends the key as HTTP Basic and its body as JSON', async () => {
    const seen: unknown[] = [];
    const ask = await askServer(async (request, response) => {
      seen.push([request.method, request.url, request.headers.authorization, request.headers['content-type']]);
      seen.push((await request.toArray()).join(''));
      response.end('{"id": 1}');
    });
    expect(await ask('POST', '/webhooks', { body: { name: 'n' } })).toEqual({ kind: 'ok', body: { id: 1 } });
    const basic = `Basic ${Buffer.from('key:secret').toString('base64')}`;
    expect(seen).toEqual([['POST', '/v2/webhooks', basic, 'application/json'], '{"name":"n"}']);
  });

  it.each([
    [404, {}, { kind: 'not_found' }],
    [400, {}, { kind: 'refused', status: 400 }],
    [401, {}, { kind: 'refused', status: 401 }],
    [302, { location: 'http://127.0.0.1:1/elsewhere' }, { kind: 'refused', status: 302 }],
    [500, {}, { kind: 'unavailable', status: 500 }],
    [503, { 'retry-after': '7' }, { kind: 'unavailable', status: 503, retryAfterSeconds: 7 }],
    [429, { 'retry-after': '120' }, { kind: 'unavailable', status: 429, retryAfterSeconds: 120 }],
    // A number of six digits or more is over a day and is ignored, as a mistake.
    [429, { 'retry-after': '86400' }, { kind: 'unavailable', status: 429, retryAfterSeconds: 86_400 }],
    [429, { 'retry-after': '100000' }, { kind: 'unavailable', status: 429 }],
    [429, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, { kind: 'unavailable', status: 429 }],
  ])('with the response %i %j returns %j', async (status, headers, answer) => {
    const ask = await askServer((_, response) => response.writeHead(status, headers).end('{"secret": "s"}'));
    expect(await ask('GET', '/user-uploads', {})).toEqual(answer);
  });

  it('returns no body when Argyle sends none, as for a deletion', async () => {
    const ask = await askServer((_, response) => response.writeHead(204).end());
    expect(await ask('DELETE', '/webhooks/1', {})).toEqual({ kind: 'ok', body: undefined });
  });

  it.each<[string, RequestListener]>([
    ['is not JSON', (_, response) => response.end('<html>')],
    ['breaks off', (request) => request.socket.destroy()],
  ])('whose response %s returns unavailable', async (_, listener) => {
    const ask = await askServer(listener);
    expect(await ask('GET', '/user-uploads', {})).toEqual({ kind: 'unavailable' });
  });

  it('returns unavailable as soon as its signal aborts', async () => {
    const deadline = new AbortController();
    const ask = await askServer(() => deadline.abort());
    expect(await ask('GET', '/user-uploads', { signal: deadline.signal })).toEqual({ kind: 'unavailable' });
  });

  it('returns unavailable when Argyle does not answer within 10 s', async () => {
    const limitsMs: number[] = [];
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      limitsMs.push(ms);
      return AbortSignal.abort();
    });
    const ask = await askServer(() => undefined);
    expect(await ask('GET', '/user-uploads', {})).toEqual({ kind: 'unavailable' });
    expect(limitsMs).toEqual([10_000]);
  });

  it.each(['http://127.0.0.1:1/v2/webhooks?cursor=2', 'https://api.argyle.com.example.com/v2/webhooks'])(
    'sends no credentials to another host: %s',
    async (next) => {
      const ask = await askServer((_, response) => response.end('{}'));
      await expect(ask('GET', next, {})).rejects.toThrow('no credentials are sent there');
    },
  );

  it('follows a full URL of its own host', async () => {
    const ask = await askServer((request, response) =>
      response.end(JSON.stringify(`http://${request.headers.host}/v2/webhooks?cursor=2`)),
    );
    const next = await ask('GET', '/webhooks', {});
    expect(next).toMatchObject({ kind: 'ok', body: expect.stringMatching(/^http:/) });
    if (next.kind === 'ok') expect(await ask('GET', String(next.body), {})).toEqual(next);
  });
});

describe('a page', () => {
  it.each([null, undefined, ''])('is the last one when next is %o', (next) => {
    expect(readPage({ results: [1], next })).toEqual({ results: [1], next: undefined });
  });

  it.each([undefined, {}, { results: null }, []])('cannot be read from %j', (body) => {
    expect(() => readPage(body)).toThrow('`results`');
  });
});

describe('the error for a failure', () => {
  it.each<[ArgyleFailure, object]>([
    [{ kind: 'not_found' }, { code: 'http_404', isTransient: false }],
    [
      { kind: 'refused', status: 400 },
      { code: 'http_400', isTransient: false },
    ],
    [
      { kind: 'unavailable', status: 503 },
      { code: 'http_503', isTransient: true, retryAfterSeconds: 0 },
    ],
    [
      { kind: 'unavailable', status: 429, retryAfterSeconds: 7 },
      { code: 'http_429', retryAfterSeconds: 7 },
    ],
    [{ kind: 'unavailable' }, { code: 'no_answer', isTransient: true }],
  ])('%j has a code and says whether a retry may succeed', (failure, expected) => {
    const error = argyleError(failure);
    expect(error).toMatchObject({ name: 'ArgyleError', ...expected });
    expect(error.message).toContain(error.code);
  });

  it.each([401, 403])('%i names the secret to put a valid key into', (status) => {
    const { message } = argyleError({ kind: 'refused', status }, 'argyle/key');
    expect(message).toContain(`refused the API key (${status}): put a valid key into the secret argyle/key.`);
  });
});

async function askServer(listener: RequestListener): Promise<AskArgyle> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return createAskArgyle(`http://127.0.0.1:${port}/v2`, async () => ({ apiKeyId: 'key', apiKeySecret: 'secret' }));
}
