import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type AskArgyle, argyleError, createAskArgyle, readPage } from '../../../functions/argyle/argyle-api.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

describe('a request to Argyle', () => {
  it('carries the key as HTTP Basic, and its body as JSON', async () => {
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
    [429, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, { kind: 'unavailable', status: 429 }],
  ])('that is answered %i %j comes to %j', async (status, headers, answer) => {
    const ask = await askServer((_, response) => response.writeHead(status, headers).end('{"secret": "s"}'));
    expect(await ask('GET', '/user-uploads', {})).toEqual(answer);
  });

  it('has no body in its answer when Argyle sends none, as for a deletion', async () => {
    const ask = await askServer((_, response) => response.writeHead(204).end());
    expect(await ask('DELETE', '/webhooks/1', {})).toEqual({ kind: 'ok', body: undefined });
  });

  it.each<[string, RequestListener]>([
    ['no JSON', (_, response) => response.end('<html>')],
    ['a connection that breaks', (request) => request.socket.destroy()],
  ])('that gets %s is tried later', async (_, listener) => {
    const ask = await askServer(listener);
    expect(await ask('GET', '/user-uploads', {})).toEqual({ kind: 'unavailable' });
  });

  it('ends with its signal', async () => {
    const ask = await askServer(() => undefined);
    expect(await ask('GET', '/user-uploads', { signal: AbortSignal.timeout(50) })).toEqual({ kind: 'unavailable' });
  });

  it.each(['http://127.0.0.1:1/v2/webhooks?cursor=2', 'https://api.argyle.com.example.com/v2/webhooks'])(
    'sends no credentials to another host: %s',
    async (next) => {
      const ask = await askServer((_, response) => response.end('{}'));
      await expect(ask('GET', next, {})).rejects.toThrow('no credentials are sent there');
    },
  );

  it('follows the full URL that its own host gave', async () => {
    const ask = await askServer((request, response) =>
      response.end(JSON.stringify(`http://${request.headers.host}/v2/webhooks?cursor=2`)),
    );
    const next = await ask('GET', '/webhooks', {});
    expect(next).toMatchObject({ kind: 'ok', body: expect.stringMatching(/^http:/) });
    if (next.kind === 'ok') expect(await ask('GET', String(next.body), {})).toEqual(next);
  });
});

describe('a page', () => {
  it.each([null, undefined, ''])('is the last when next is %o', (next) => {
    expect(readPage({ results: [1], next })).toEqual({ results: [1], next: undefined });
  });

  it.each([undefined, {}, { results: null }, []])('is no page when it is %j', (body) => {
    expect(() => readPage(body)).toThrow('`results`');
  });
});

it('an error says what Argyle answered and nothing else', () => {
  expect(argyleError({ status: 429 })).toMatchObject({ name: 'ArgyleError', code: 'http_429' });
  expect(argyleError({})).toMatchObject({ name: 'ArgyleError', code: 'no_answer' });
});

async function askServer(listener: RequestListener): Promise<AskArgyle> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return createAskArgyle(`http://127.0.0.1:${port}/v2`, async () => ({ apiKeyId: 'key', apiKeySecret: 'secret' }));
}
