import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGzip } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import { argyleError, createAskArgyle } from '../../../functions/argyle/argyle-api.ts';

const mebibyte = 1024 * 1024;
const tooLarge = { kind: 'too_large', maxBytes: 32 * mebibyte };

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

it('reads an answer of exactly 32 MiB', async () => {
  const text = `"${'a'.repeat(32 * mebibyte - 2)}"`;
  const ask = await askServer((_, response) => response.end(text));
  expect(await ask()).toEqual({ kind: 'ok', body: text.slice(1, -1) });
});

it('does not read an answer whose header states a larger size', async () => {
  const ask = await askServer((_, response) => {
    response.writeHead(200, { 'content-length': 32 * mebibyte + 1 });
    // Nothing else: reading the body would last until the time-out.
    response.flushHeaders();
  });
  expect(await ask()).toEqual(tooLarge);
});

it('stops to read an answer without a size, soon after 32 MiB', async () => {
  let sent = 0;
  const ask = await askServer((_, response) => sendForever(response, (bytes) => (sent += bytes)));
  expect(await ask()).toEqual(tooLarge);
  // The connection buffers a part of what was sent.
  expect(sent).toBeLessThan(48 * mebibyte);
});

it('counts the decompressed bytes of a compressed answer', async () => {
  let compressed = 0;
  const ask = await askServer((_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    const gzip = createGzip();
    gzip.on('data', (chunk: Buffer) => (compressed += chunk.length)).pipe(response);
    response.once('close', () => gzip.destroy());
    for (let part = 0; part < 33; part += 1) gzip.write(Buffer.alloc(mebibyte, 'a'));
    gzip.end();
  });
  expect(await ask()).toEqual(tooLarge);
  expect(compressed).toBeLessThan(mebibyte);
});

it('divides the size by the number of concurrent requests', async () => {
  const ask = await askServer((_, response) => response.end(`"${'a'.repeat(4 * mebibyte)}"`), 10);
  expect(await ask()).toEqual({ kind: 'too_large', maxBytes: Math.floor(3.2 * mebibyte) });
});

it('returns the status of a large answer that is an error', async () => {
  const ask = await askServer((_, response) => response.writeHead(503).end('a'.repeat(4 * mebibyte)), 10);
  expect(await ask()).toEqual({ kind: 'unavailable', status: 503 });
});

it('has an error that states the limit, and that a retry does not solve', () => {
  const error = argyleError({ kind: 'too_large', maxBytes: 32 * mebibyte });
  expect(error).toMatchObject({ code: 'answer_too_large', isTransient: false });
  expect(error.message).toContain('larger than 32768 KiB and was not read');
});

function sendForever(response: ServerResponse, onSent: (bytes: number) => void): void {
  const chunk = Buffer.alloc(64 * 1024, 'a');
  const send = () => {
    let hasRoom = true;
    while (hasRoom && !response.destroyed) {
      onSent(chunk.length);
      hasRoom = response.write(chunk);
    }
  };
  response.on('drain', send);
  send();
}

async function askServer(listener: RequestListener, concurrentRequests = 1) {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = createAskArgyle(url, async () => ({ apiKeyId: 'key', apiKeySecret: 'secret' }), concurrentRequests);
  return () => ask('GET', '/user-uploads', {});
}
