import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTelemetry } from '../../../functions/aws/telemetry.ts';
import { bodyLimitBytes } from '../../../functions/ingest/handler.ts';
import { createReadStage } from '../../../functions/ingest/webhook-secret-reader.ts';
import { createWebhookSecrets } from '../../../functions/ingest/webhook-secrets.ts';
import { sample, sampleBody, signatureOf, signedRequest } from '../../support/builders/builders.ts';
import { setUpIngest } from '../../support/builders/ingest.ts';
import { clientConfig } from '../../support/emulators/emulators.ts';
import { fakeSecrets, fakeSendMessage } from '../../support/fakes/fakes.ts';

const ids = { deliveryId: sample.requestId };
describe('the lines that ingest prints', () => {
  afterEach(() => vi.restoreAllMocks());

  // Every part of a delivery that must not be printed contains MARKER.
  const secret = 'MARKER-secret';
  const envelope = sampleBody({ name: 'MARKER-file.pdf' });
  const bodies = {
    accepted: envelope,
    'an unknown event': sampleBody({ event: 'MARKER.event' }),
    malformed: 'MARKER, which is not JSON',
    'missing ids': JSON.stringify({ event: sample.event, data: { file_name: 'MARKER-file' } }),
    'too large': `${envelope}${' '.repeat(bodyLimitBytes)}`,
  };

  it.each(Object.entries(bodies))('are one line without body, signature and secret: %s', async (_, body) => {
    const { lines, ingest } = setUpPrinting({ secrets: fakeSecrets([secret]) });
    await ingest(signedRequest(body, { secret }));
    expectOneMeasureLineWithout(lines(), signatureOf(body, secret));
  });

  it.each([signatureOf(envelope, 'another'), 'MARKER-signature'])(
    'are one line without a wrong signature: %s',
    async (signature) => {
      const { lines, ingest } = setUpPrinting({ secrets: fakeSecrets([secret]) });
      await ingest(signedRequest(envelope, { signature }));
      expectOneMeasureLineWithout(lines(), signature);
    },
  );

  it('contain no message of an error that may contain its input', async () => {
    const failing = fakeSendMessage(async () => {
      throw new TypeError(`cannot send ${envelope} signed with ${secret}`, { cause: new Error(envelope) });
    });
    const { lines, ingest } = setUpPrinting({ secrets: fakeSecrets([secret]), queue: failing });
    await ingest(signedRequest(envelope, { secret }));
    const [error = '', ...measured] = lines();
    expect(JSON.parse(error)).toMatchObject({ message: 'delivery_not_queued', ...ids, cause: { name: 'TypeError' } });
    expect(error).not.toContain('MARKER');
    expectOneMeasureLineWithout(measured, signatureOf(envelope, secret));
  });

  it('contain nothing of an AWS response that the SDK cannot parse', async () => {
    const server = createServer((_, response) => response.end(`{"SecretString":${secret}}`)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = new SecretsManagerClient(clientConfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
    const readStage = createReadStage(client, 'webhook-secret');
    const secrets = { ...fakeSecrets(), secrets: createWebhookSecrets(readStage, Date.now) };
    const { lines, ingest } = setUpPrinting({ secrets });
    await ingest(signedRequest(envelope, { secret }));
    server.close();
    const [error = ''] = lines();
    expect(JSON.parse(error)).toMatchObject({ message: 'secret_unreadable', cause: { name: 'SyntaxError' } });
    expect(error).not.toContain('MARKER');
  });
});

function setUpPrinting(setup: Parameters<typeof setUpIngest>[0]) {
  const chunks: string[] = [];
  const keep = (chunk: unknown) => chunks.push(String(chunk)) > 0;
  vi.spyOn(process.stdout, 'write').mockImplementation(keep);
  vi.spyOn(process.stderr, 'write').mockImplementation(keep);
  const { ingest } = setUpIngest({ ...setup, telemetry: createTelemetry() });
  return { ingest, lines: () => chunks.join('').trim().split('\n') };
}

function expectOneMeasureLineWithout(lines: readonly string[], signature: string): void {
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toHaveProperty('_aws.CloudWatchMetrics');
  expect(lines[0]).not.toContain('MARKER');
  expect(lines[0]).not.toContain(signature);
}
