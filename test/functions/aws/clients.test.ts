import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  callDeadline,
  callLimitMs,
  cloudformationClient,
  dynamodbClient,
  lambdaClient,
  secretsManagerClient,
  sqsClient,
} from '../../../functions/aws/clients.ts';
import { ingestDeadlineMs } from '../../../functions/domain/secret-cache-times.ts';
import { batchBudgetMs } from '../../../functions/worker/handler.ts';

// The time-outs of the worker and of ingest (infra), after which Lambda ends a function.
const workerTimeoutMs = 30_000;
const ingestTimeoutMs = 8_000;
// The SDK's backoff before the second attempt is at most 100 ms.
const backoffMs = 100;

type HandlerSettings = {
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly socketTimeout: number;
  readonly throwOnRequestTimeout: boolean;
};

const clients = { sqsClient, dynamodbClient, secretsManagerClient, cloudformationClient, lambdaClient };

describe.each(Object.entries(clients))('a call of %s', (_, createClient) => {
  const { config } = createClient();
  // The handler reads its settings once, into this private promise.
  const readSettings = () =>
    (config.requestHandler as unknown as { configProvider: Promise<HandlerSettings> }).configProvider;

  it('has two attempts, which fit into its limit', async () => {
    const { requestTimeout } = await readSettings();
    const attempts = await config.maxAttempts();
    expect(attempts).toBe(2);
    expect(attempts * requestTimeout + backoffMs).toBeLessThan(callLimitMs);
  });

  it('fails, instead of only printing a warning, when there is no response in time', async () => {
    expect((await readSettings()).throwOnRequestTimeout).toBe(true);
  });

  it('waits for a connection, and for each part of a response, no longer than for the response', async () => {
    const { connectionTimeout, requestTimeout, socketTimeout } = await readSettings();
    expect(connectionTimeout).toBeLessThanOrEqual(requestTimeout);
    expect(socketTimeout).toBeLessThanOrEqual(requestTimeout);
  });
});

describe('the limit of a call', () => {
  afterEach(() => vi.restoreAllMocks());

  it('is applied with and without a deadline', () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout');
    callDeadline();
    callDeadline(new AbortController().signal);
    expect(timeout.mock.calls).toEqual([[callLimitMs], [callLimitMs]]);
  });

  it("leaves a worker the time to report its failures, and ingest's answer the time to be sent", () => {
    expect(batchBudgetMs + callLimitMs).toBeLessThan(workerTimeoutMs);
    expect(ingestDeadlineMs).toBeLessThan(ingestTimeoutMs - 1_000);
  });
});
