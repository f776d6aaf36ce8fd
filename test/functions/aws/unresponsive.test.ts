import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dynamodbClient, secretsManagerClient, sqsClient } from '../../../functions/aws/clients.ts';
import { createFailedMessages, createSendMessage } from '../../../functions/aws/event-queue.ts';
import { createReadStage } from '../../../functions/ingest/webhook-secret-reader.ts';
import { createApplyEvent } from '../../../functions/worker/upload-store.ts';
import { sample } from '../../support/builders/builders.ts';
import { envelopeOf } from '../../support/emulators/upload-table.ts';

const services = ['SQS', 'DYNAMODB', 'SECRETS_MANAGER'] as const;

let server: Server;
let answer: RequestListener;
beforeAll(async () => {
  server = createServer((request, response) => answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const service of services) process.env[`AWS_ENDPOINT_URL_${service}`] = endpoint;
});
afterAll(() => {
  for (const service of services) delete process.env[`AWS_ENDPOINT_URL_${service}`];
  server.closeAllConnections();
  server.close();
});

const never = new AbortController().signal;
const send = (abortSignal: AbortSignal) =>
  createSendMessage(sqsClient())('http://queue/url', { body: '{}', attributes: {} }, abortSignal);

/** Starts one call of each kind, without another time limit than the clients' own. */
function startCalls(): readonly Promise<unknown>[] {
  const applyEvent = createApplyEvent(dynamodbClient(), 'table', 90);
  const urls = { queueUrl: 'http://queue/url', deadLetterQueueUrl: 'http://queue/dead' };
  const { postponeMessages, sendDeadLetter } = createFailedMessages(sqsClient, urls);
  return [
    applyEvent(envelopeOf(sample.userUpload), sample.receivedAt, { mayCreate: true }),
    postponeMessages([]),
    sendDeadLetter({ body: '{}', messageAttributes: {} }, 'unreadable'),
    createReadStage(secretsManagerClient(), 'secret')('AWSCURRENT', never),
    send(never),
  ];
}

// The limit is the worker's own time-out: after it, nothing is reported, and all messages are retried without backoff.
describe('every call fails in time', { timeout: 30_000 }, () => {
  it('when the service never answers', async () => {
    answer = () => undefined;
    for (const { status } of await Promise.allSettled(startCalls())) expect(status).toBe('rejected');
  });

  it('when the response stalls after its headers, and its connections are closed even after an abort', async () => {
    const abort = new AbortController();
    let closed = 0;
    server.on('connection', (socket) => socket.once('close', () => (closed += 1)));
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': '10' }).flushHeaders();
      abort.abort(new Error('stop'));
    };
    const calls = startCalls();
    await expect(send(abort.signal)).rejects.toThrow('stop');
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('rejected');
    // Both attempts of each call, and of the aborted one, which goes on.
    await expect.poll(() => closed, { timeout: 20_000 }).toBe(2 * (calls.length + 1));
  });
});

it.each(['', '{}'])('a response without a MessageId is a failure: "%s"', async (body) => {
  answer = (_, response) => response.end(body);
  await expect(send(never)).rejects.toThrow('SQS returned no MessageId');
  const { sendDeadLetter } = createFailedMessages(sqsClient, {
    queueUrl: 'unused',
    deadLetterQueueUrl: 'http://queue/dead',
  });
  const sending = sendDeadLetter({ body: '{}', messageAttributes: {} }, 'unreadable');
  await expect(sending).rejects.toThrow('SQS returned no MessageId');
});

it('a response with a wrong date does not change the time of the next signature', async () => {
  const signedAtMs: number[] = [];
  answer = (request, response) => {
    const [, date = '', hour = '', minute = ''] = /^(.{8}T)(..)(..)/.exec(String(request.headers['x-amz-date'])) ?? [];
    signedAtMs.push(Date.parse(`${date.replace(/(....)(..)(..)T/, '$1-$2-$3')}T${hour}:${minute}:00Z`));
    response.writeHead(200, { date: new Date(Date.now() - 3_600_000).toUTCString() }).end('{"MessageId":"1"}');
  };
  const sendMessage = createSendMessage(sqsClient());
  for (const body of ['1', '2']) await sendMessage('http://queue/url', { body, attributes: {} }, never);
  expect(signedAtMs).toHaveLength(2);
  for (const ms of signedAtMs) expect(Date.now() - ms).toBeLessThan(600_000);
});
