import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTelemetry } from '../../../functions/aws/telemetry.ts';
import { bodyLimitBytes } from '../../../functions/ingest/handler.ts';
import { createWebhookSecrets } from '../../../functions/ingest/webhook-secret-reader.ts';
import { bodyOfSize, sample, sampleBody, signatureOf, signedRequest } from '../../support/builders/builders.ts';
import { setUpIngest } from '../../support/builders/ingest.ts';
import { clientConfig } from '../../support/emulators/emulators.ts';
import { fakeSecrets, fakeSendMessage } from '../../support/fakes/fakes.ts';

const ids = { deliveryId: sample.requestId };
const missingIds = JSON.stringify({ event: sample.event, data: { file_name: 'MARKER-file' } });

describe('ingest prints one measure line', () => {
  it.each([
    {
      request: signedRequest(sampleBody()),
      metric: 'Accepted',
      fields: { ...ids, status: 'accepted', event: sample.event, userUpload: sample.userUpload },
    },
    {
      request: signedRequest(sampleBody({ event: 'accounts.connected' })),
      metric: 'Quarantined',
      fields: { ...ids, status: 'quarantined', reason: 'unknown_event' },
    },
    {
      request: signedRequest('not JSON'),
      metric: 'Quarantined',
      fields: { ...ids, status: 'quarantined', reason: 'malformed' },
    },
    {
      request: signedRequest(missingIds),
      metric: 'Quarantined',
      fields: { ...ids, status: 'quarantined', reason: 'missing_ids' },
    },
    {
      request: signedRequest(sampleBody(), { signature: null }),
      metric: 'BadSignature',
      fields: { ...ids, status: 'bad_signature' },
    },
    {
      request: signedRequest(bodyOfSize(bodyLimitBytes + 1)),
      metric: 'TooLarge',
      fields: { ...ids, status: 'too_large' },
    },
  ])('for $fields.status $fields.reason', async ({ request, metric, fields }) => {
    const { ingest, measured, errors } = setUpIngest();
    await ingest(request);
    expect(measured).toEqual([{ metrics: { [metric]: 1, DurationMs: 0 }, fields }]);
    expect(errors).toEqual([]);
  });

  it('for a secret that cannot be read, beside the error line', async () => {
    const { ingest, measured, errors } = setUpIngest({ secrets: fakeSecrets(new Error('no')) });
    await ingest(signedRequest(sampleBody()));
    expect(measured).toEqual([
      {
        metrics: { Unavailable: 1, SecretUnreadable: 1, DurationMs: 0 },
        fields: { ...ids, status: 'unavailable', reason: 'secret_unreadable' },
      },
    ]);
    expect(errors).toMatchObject([{ code: 'secret_unreadable', fields: ids }]);
  });

  it('for a queue that does not take a message, without blaming the secret', async () => {
    const queue = fakeSendMessage(async () => Promise.reject(new Error('no')));
    const { ingest, measured, errors } = setUpIngest({ queue });
    await ingest(signedRequest(sampleBody()));
    expect(measured).toEqual([
      { metrics: { Unavailable: 1, DurationMs: 0 }, fields: { ...ids, status: 'unavailable' } },
    ]);
    expect(errors).toMatchObject([{ code: 'delivery_not_queued', fields: ids }]);
  });

  it('with the time that the request took, queue included', async () => {
    let now = 1_000;
    const queue = fakeSendMessage(async () => {
      now += 40;
    });
    const { ingest, measured } = setUpIngest({ queue, nowMs: () => now });
    await ingest(signedRequest(sampleBody()));
    expect(measured[0]?.metrics).toEqual({ Accepted: 1, DurationMs: 40 });
  });
});

describe('what ingest really prints', () => {
  afterEach(() => vi.restoreAllMocks());

  // Each part of a delivery that must not be printed is made of these.
  const secret = 'MARKER-secret';
  const envelope = sampleBody({ name: 'MARKER-file.pdf' });
  const bodies = {
    accepted: envelope,
    'an unknown event': sampleBody({ event: 'MARKER.event' }),
    malformed: 'MARKER, which is not JSON',
    'missing ids': missingIds,
    'too large': `${envelope}${' '.repeat(bodyLimitBytes)}`,
  };

  it.each(Object.entries(bodies))('is one line without body, signature or secret: %s', async (_, body) => {
    const { lines, ingest } = setUpPrinting({ secrets: fakeSecrets([secret]) });
    await ingest(signedRequest(body, { secret }));
    expectOneMeasureLineWithout(lines(), signatureOf(body, secret));
  });

  it.each([signatureOf(envelope, 'another'), 'MARKER-signature'])(
    'is one line without the signature that is wrong: %s',
    async (signature) => {
      const { lines, ingest } = setUpPrinting({ secrets: fakeSecrets([secret]) });
      await ingest(signedRequest(envelope, { signature }));
      expectOneMeasureLineWithout(lines(), signature);
    },
  );

  it('holds no text of an error that may quote what it choked on', async () => {
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

  it('holds nothing of an answer of AWS that the SDK could not read and quotes', async () => {
    const server = createServer((_, response) => response.end(`{"SecretString":${secret}}`)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = new SecretsManagerClient(clientConfig(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
    const secrets = { secrets: createWebhookSecrets(client, 'webhook-secret', Date.now), calls: fakeSecrets().calls };
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
