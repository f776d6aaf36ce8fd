import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqsClient } from '../../functions/aws/clients.ts';
import { createSendMessage } from '../../functions/aws/event-queue.ts';

// An SQS that sends the headers of an answer and then nothing.
let server: Server;
let closed = 0;
beforeAll(async () => {
  server = createServer((_, response) => response.writeHead(200, { 'content-length': '10' }).flushHeaders());
  server.on('connection', (socket) => socket.once('close', () => (closed += 1)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.env.AWS_ENDPOINT_URL_SQS = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  delete process.env.AWS_ENDPOINT_URL_SQS;
  server.closeAllConnections();
  server.close();
});

test('a send that stalls is given up at the deadline, and its connections are given back', async () => {
  const sendMessage = createSendMessage(sqsClient());
  const message = { body: '{}', attributes: {} };

  await expect(sendMessage('http://queue/url', message, AbortSignal.timeout(100))).rejects.toMatchObject({
    name: 'TimeoutError',
  });

  expect(closed).toBe(0);
  // Both tries of the client, which goes on by itself.
  await expect.poll(() => closed, { timeout: 20_000 }).toBe(2);
});
