import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { secretsManagerClient, sqsClient } from '../../../functions/aws/clients.ts';
import { createSendMessage } from '../../../functions/aws/event-queue.ts';
import { createIngest, requestDeadlineMs } from '../../../functions/ingest/handler.ts';
import { createWebhookSecrets } from '../../../functions/ingest/webhook-secret-reader.ts';
import { sampleBody, signedRequest } from '../../support/builders/builders.ts';
import { queueUrls } from '../../support/builders/ingest.ts';
import { fakeSecrets, fakeSendMessage, fakeTelemetry } from '../../support/fakes/fakes.ts';

// An AWS that takes connections and never answers.
const sockets = new Set<Socket>();
let server: Server;
beforeAll(async () => {
  server = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env.AWS_ENDPOINT_URL_SQS = endpoint;
  process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = endpoint;
});
afterAll(() => {
  delete process.env.AWS_ENDPOINT_URL_SQS;
  delete process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER;
  for (const socket of sockets) socket.destroy();
  server.close();
});

// The tests' limit is the promise itself: an answer within 8 s. They wait side by side, each with clients of its own.
const limit = { timeout: 8_000, concurrent: true };

test('an SQS that never answers is 503 in time', limit, async () => {
  const sendMessage = createSendMessage(sqsClient());
  expect(await answerWith({ sendMessage, secrets: fakeSecrets().secrets })).toBe(503);
});

test('a Secrets Manager that never answers is 503 in time', limit, async () => {
  const secrets = createWebhookSecrets(secretsManagerClient(), 'secret', Date.now);
  expect(await answerWith({ sendMessage: fakeSendMessage().sendMessage, secrets })).toBe(503);
});

test('a slow Secrets Manager and an SQS that never answers share one deadline', limit, async () => {
  const slowSecrets = fakeSecrets().secrets;
  const secrets = {
    ...slowSecrets,
    valid: async (deadline: AbortSignal) => {
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      return slowSecrets.valid(deadline);
    },
  };
  const sendMessage = createSendMessage(sqsClient());
  expect(await answerWith({ sendMessage, secrets })).toBe(503);
});

async function answerWith(parts: Pick<Parameters<typeof createIngest>[0], 'sendMessage' | 'secrets'>) {
  const { telemetry } = fakeTelemetry();
  const quarantineQueueUrl = 'quarantine queue';
  const rest = { queueUrls, quarantineQueueUrl, telemetry, nowMs: Date.now, deadlineMs: requestDeadlineMs };
  return (await createIngest({ ...parts, ...rest })(signedRequest(sampleBody()))).statusCode;
}
