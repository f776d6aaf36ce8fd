import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { sqsClient } from '../../../functions/aws/clients.ts';
import { createSendMessage, type SendMessage } from '../../../functions/aws/event-queue.ts';

// An SQS that answers as the real one does not, or hardly ever.
let server: Server;
let answer: RequestListener;
let closed = 0;
let send: () => ReturnType<SendMessage>;
beforeAll(async () => {
  server = createServer((request, response) => answer(request, response));
  server.on('connection', (socket) => socket.once('close', () => (closed += 1)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.env.AWS_ENDPOINT_URL_SQS = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  const sendMessage = createSendMessage(sqsClient());
  send = () => sendMessage('http://queue/url', { body: '{}', attributes: {} }, AbortSignal.timeout(500));
});
afterAll(() => {
  delete process.env.AWS_ENDPOINT_URL_SQS;
  server.closeAllConnections();
  server.close();
});

test('a send whose answer stalls is given up at the deadline, and its connections are given back', async () => {
  answer = (_, response) => response.writeHead(200, { 'content-length': '10' }).flushHeaders();
  await expect(send()).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(closed).toBe(0);
  // Both tries of the client, which goes on by itself.
  await expect.poll(() => closed, { timeout: 20_000 }).toBe(2);
});

test.each(['', '{}'])('an answer that names no message is no success: "%s"', async (body) => {
  answer = (_, response) => response.end(body);
  await expect(send()).rejects.toThrow('SQS answered without naming the message: it may not have it.');
});

test('an answer that comes from another time does not set the clock that the next message is signed with', async () => {
  const signedAtMs: number[] = [];
  answer = (request, response) => {
    signedAtMs.push(
      Date.parse(String(request.headers['x-amz-date']).replace(/(\d{4})(\d\d)(\d\dT\d\d)(\d\d)/, '$1-$2-$3:$4:')),
    );
    response.writeHead(200, { date: new Date(Date.now() - 3_600_000).toUTCString() }).end('{"MessageId":"1"}');
  };
  await send();
  await send();
  expect(signedAtMs).toHaveLength(2);
  for (const ms of signedAtMs) expect(Date.now() - ms).toBeLessThan(600_000);
});
