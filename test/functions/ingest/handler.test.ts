import { describe, expect, it } from 'vitest';
import { bodyLimitBytes } from '../../../functions/ingest/handler.ts';
import {
  bodyOfSize,
  healthRequest,
  sample,
  sampleBody,
  signatureOf,
  signedRequest,
} from '../../support/builders/builders.ts';
import { json, queueUrls, setUpIngest } from '../../support/builders/ingest.ts';
import { fakeSecrets, fakeSendMessage } from '../../support/fakes/fakes.ts';

const attributes = { event: sample.event, receivedAt: sample.receivedAt, deliveryId: sample.requestId };
const ids = { deliveryId: sample.requestId };
const wrongSignature = signatureOf(sampleBody(), 'another-secret');
const epoch = '1970-01-01T00:00:00.000Z';

describe('a signed message with a readable envelope', () => {
  it.each(Object.entries(queueUrls))('is queued verbatim and answered 200 accepted: %s', async (event, queueUrl) => {
    const { ingest, sent, measured, errors } = setUpIngest();
    expect(await ingest(signedRequest(sampleBody({ event })))).toEqual(json(200, 'accepted'));
    expect(sent).toEqual([
      { queueUrl, message: { body: sampleBody({ event }), attributes: { ...attributes, event } } },
    ]);
    const fields = { ...ids, status: 'accepted', event, userUpload: sample.userUpload };
    expect([measured, errors]).toEqual([[{ metrics: { Accepted: 1, DurationMs: 0 }, fields }], []]);
  });

  const base64 = Buffer.from(sampleBody({ name: '🧾' })).toString('base64');
  it.each([
    [
      'with the receipt time and id of API Gateway',
      signedRequest(sampleBody(), { requestId: 'request-2', timeEpoch: 0 }),
      { body: sampleBody(), attributes: { ...attributes, receivedAt: epoch, deliveryId: 'request-2' } },
    ],
    [
      'verbatim if API Gateway passed it as binary',
      signedRequest(sampleBody(), { base64: true }),
      { body: sampleBody(), attributes },
    ],
    [
      'in base64 if SQS would refuse its characters',
      signedRequest(sampleBody({ name: '🧾' })),
      { body: base64, attributes: { ...attributes, encoding: 'base64' } },
    ],
  ])('is queued %s', async (_, request, message) => {
    const { ingest, sent } = setUpIngest();
    expect(await ingest(request)).toEqual(json(200, 'accepted'));
    expect(sent).toEqual([{ queueUrl: queueUrls[sample.event], message }]);
  });

  it.each(['x-argyle-signature', 'X-Argyle-Signature', 'X-ARGYLE-SIGNATURE'])(
    'is accepted with the header name and the digest in any letter case: %s',
    async (name) => {
      const { ingest } = setUpIngest();
      for (const signature of [signatureOf(sampleBody()), signatureOf(sampleBody()).toUpperCase()]) {
        const request = { ...signedRequest(sampleBody()), headers: { 'User-Agent': 'Argyle', [name]: signature } };
        expect(await ingest(request)).toEqual(json(200, 'accepted'));
      }
    },
  );

  it('is accepted with each valid secret', async () => {
    const { ingest, calls } = setUpIngest({ secrets: fakeSecrets(['current', 'pending']) });
    for (const secret of ['current', 'pending'])
      expect(await ingest(signedRequest(sampleBody(), { secret }))).toEqual(json(200, 'accepted'));
    expect(calls).toEqual({ verify: 2 });
  });

  it('is measured with the time of the request, including the queue', async () => {
    let now = 1_000;
    const queue = fakeSendMessage(async () => {
      now += 40;
    });
    const { ingest, measured } = setUpIngest({ queue, nowMs: () => now });
    await ingest(signedRequest(sampleBody()));
    expect(measured[0]?.metrics).toEqual({ Accepted: 1, DurationMs: 40 });
  });
});

describe('a signed message without a readable envelope', () => {
  const unknown = (event: string, name = event) => ({
    body: sampleBody({ event }),
    event: name,
    reason: 'unknown_event',
  });
  const malformed = (body: string | Uint8Array, text?: string) => ({
    body,
    text,
    event: 'unreadable',
    reason: 'malformed',
  });

  it.each<{ body: string | Uint8Array; event: string; reason: string; text?: string | undefined }>([
    unknown('accounts.connected'),
    unknown('constructor'),
    unknown('e'.repeat(129), 'unreadable'),
    unknown('a\u0000b', 'unreadable'),
    unknown('', 'unreadable'),
    malformed('not JSON'),
    malformed('[]'),
    { body: '{"event":"user_uploads.added","data":{}}', event: 'user_uploads.added', reason: 'missing_ids' },
    malformed(Buffer.alloc(0), '='),
    malformed(Buffer.from([0xff, 0x00]), '/wA='),
  ])('is quarantined unchanged and answered 200: $reason $event', async ({ body, event, reason, text }) => {
    const { ingest, sent, measured, errors } = setUpIngest();
    expect(await ingest(signedRequest(body))).toEqual(json(200, 'quarantined'));
    const expected = { ...attributes, event, ...(text && { encoding: 'base64' }) };
    expect(sent).toEqual([{ queueUrl: 'quarantine queue', message: { body: text ?? body, attributes: expected } }]);
    const fields = { ...ids, status: 'quarantined', reason };
    expect([measured, errors]).toEqual([[{ metrics: { Quarantined: 1, DurationMs: 0 }, fields }], []]);
  });

  it('is quarantined when the request has no body', async () => {
    const { ingest, sent } = setUpIngest();
    const { body: _, ...request } = signedRequest('');
    expect(await ingest(request)).toEqual(json(200, 'quarantined'));
    expect(sent).toHaveLength(1);
  });
});

describe('an unsigned message is answered 401 and not stored', () => {
  const signed = (signature: string | null) => signedRequest(sampleBody(), { signature });
  const inOtherHeader = { signature: null, headers: { 'x-signature': signatureOf(sampleBody()) } };
  const ofBase64Text = signatureOf(Buffer.from(sampleBody()).toString('base64'));

  it.each([
    ['no signature', signed(null)],
    ['a signature that is not hex', signed('g'.repeat(128))],
    ['a signature with a prefix', signed(`sha512=${signatureOf(sampleBody())}`)],
    ['the signature in another header', signedRequest(sampleBody(), inOtherHeader)],
  ])('without reading the secrets: %s', async (_, request) => {
    const { ingest, sent, calls, measured, errors } = setUpIngest();
    expect(await ingest(request)).toEqual(json(401, 'bad_signature'));
    expect([sent, errors]).toEqual([[], []]);
    expect(calls).toEqual({ verify: 0 });
    const fields = { ...ids, status: 'bad_signature' };
    expect(measured).toEqual([{ metrics: { BadSignature: 1, DurationMs: 0 }, fields }]);
  });

  it.each([
    ["another secret's signature", signed(wrongSignature), fakeSecrets()],
    ["another body's signature", signed(signatureOf(`${sampleBody()}\n`)), fakeSecrets()],
    [
      'a signature of the base64 text',
      signedRequest(sampleBody(), { base64: true, signature: ofBase64Text }),
      fakeSecrets(),
    ],
    ['a signature while there is no secret', signed(wrongSignature), fakeSecrets([])],
    ['a signature of an empty secret', signedRequest(sampleBody(), { secret: '' }), fakeSecrets([''])],
  ])('after one verification: %s', async (_, request, secrets) => {
    const { ingest, sent, calls } = setUpIngest({ secrets });
    expect(await ingest(request)).toEqual(json(401, 'bad_signature'));
    expect(sent).toEqual([]);
    expect(calls).toEqual({ verify: 1 });
  });
});

describe('the body limit', () => {
  it.each([false, true])('accepts exactly 512 KiB (base64: %s)', async (base64) => {
    const { ingest, sent } = setUpIngest();
    expect(await ingest(signedRequest(bodyOfSize(524_288), { base64 }))).toEqual(json(200, 'accepted'));
    expect(sent[0]?.message.body).toBe(bodyOfSize(524_288));
  });

  it.each([
    ['one byte more', bodyOfSize(524_289)],
    ['as many characters but more bytes', `${bodyOfSize(524_288).slice(0, -1)}é`],
    ['one byte more that is not JSON', Buffer.alloc(524_289, 0xff)],
  ])('answers 413 to a signed body of %s', async (_, body) => {
    const { ingest, sent, measured, errors } = setUpIngest();
    expect(await ingest(signedRequest(body))).toEqual(json(413, 'too_large'));
    expect([sent, errors]).toEqual([[], []]);
    expect(measured).toEqual([{ metrics: { TooLarge: 1, DurationMs: 0 }, fields: { ...ids, status: 'too_large' } }]);
  });

  it('answers 401 to a larger body whose signature is wrong or absent', async () => {
    const { ingest } = setUpIngest();
    for (const signature of [wrongSignature, null])
      expect(await ingest(signedRequest(bodyOfSize(bodyLimitBytes + 1), { signature }))).toEqual(
        json(401, 'bad_signature'),
      );
  });
});

it('answers GET /healthz with 200 without secrets, queue or a measure line', async () => {
  const { ingest, sent, calls, measured } = setUpIngest({ secrets: fakeSecrets(new Error('no')) });
  expect(await ingest(healthRequest())).toEqual(json(200, 'ok'));
  expect(calls).toEqual({ verify: 0 });
  expect([sent, measured]).toEqual([[], []]);
});
