import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dynamodbClient, sqsClient } from '../../../functions/aws/clients.ts';
import { createPostponeMessages } from '../../../functions/aws/event-queue.ts';
import { batchBudgetMs, createWorker } from '../../../functions/worker/handler.ts';
import { createApplyEvent } from '../../../functions/worker/upload-store.ts';
import { sample, sampleBody, sqsRecord } from '../../support/builders/builders.ts';
import { fakeTelemetry } from '../../support/fakes/fakes.ts';

// An AWS that sends the headers of an answer and then nothing.
let server: Server;
beforeAll(async () => {
  server = createServer((_, response) => response.writeHead(200, { 'content-length': '10' }).flushHeaders());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env.AWS_ENDPOINT_URL_DYNAMODB = endpoint;
  process.env.AWS_ENDPOINT_URL_SQS = endpoint;
});
afterAll(() => {
  delete process.env.AWS_ENDPOINT_URL_DYNAMODB;
  delete process.env.AWS_ENDPOINT_URL_SQS;
  server.closeAllConnections();
  server.close();
});

// The limit is the worker's own time-out: beyond it nothing would be reported, and every message come back without back-off.
test('answers that stall after their headers are failures of the messages, reported in time', {
  timeout: 30_000,
}, async () => {
  const { telemetry, errors } = fakeTelemetry();
  const worker = createWorker({
    eventType: sample.event,
    applyEvent: createApplyEvent(dynamodbClient(), 'table', 90),
    postponeMessages: createPostponeMessages(sqsClient, 'http://queue/url'),
    telemetry,
    nowMs: Date.now,
    random: Math.random,
    budgetMs: batchBudgetMs,
  });
  const records = ['one', 'two'].map((messageId) =>
    sqsRecord(sampleBody(), { messageId, receivedAt: new Date().toISOString() }),
  );

  const { batchItemFailures } = await worker({ Records: records });

  expect(batchItemFailures).toEqual([{ itemIdentifier: 'one' }, { itemIdentifier: 'two' }]);
  expect(errors.map(({ code }) => code)).toEqual(['record_failed', 'record_failed', 'records_not_postponed']);
});
