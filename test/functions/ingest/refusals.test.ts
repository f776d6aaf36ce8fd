import { describe, expect, it } from 'vitest';
import { bodyLimitBytes } from '../../../functions/ingest/handler.ts';
import { bodyOfSize, sample, sampleBody, signatureOf, signedRequest } from '../../support/builders/builders.ts';
import { json, setUpIngest } from '../../support/builders/ingest.ts';
import { fakeSecrets, fakeSendMessage } from '../../support/fakes/fakes.ts';

const wrongSignature = signatureOf(sampleBody(), 'another-secret');

describe('an unsigned message is answered 401 and leaves nothing', () => {
  it.each([
    ['no signature', null],
    ['an empty signature', ''],
    ['a signature that is not hex', 'g'.repeat(128)],
    ['a signature too short', signatureOf(sampleBody()).slice(2)],
    ['a signature with a prefix', `sha512=${signatureOf(sampleBody())}`],
  ])('without the secrets being read: %s', async (_, signature) => {
    const { ingest, sent, calls } = setUpIngest();
    expect(await ingest(signedRequest(sampleBody(), { signature }))).toEqual(json(401, 'bad_signature'));
    expect(sent).toEqual([]);
    expect(calls).toEqual({ valid: 0, reread: 0 });
  });

  it.each([
    ["another secret's signature", signedRequest(sampleBody(), { signature: wrongSignature })],
    ["another body's signature", signedRequest(sampleBody(), { signature: signatureOf(`${sampleBody()}\n`) })],
    ['a signature of the base64 text', signatureOfBase64Text()],
    ['the right digest under another header name', signedWithHeader('x-signature')],
  ])('when it has %s', async (_, request) => {
    const { ingest, sent } = setUpIngest();
    expect(await ingest(request)).toEqual(json(401, 'bad_signature'));
    expect(sent).toEqual([]);
  });

  it.each([
    ['when the secrets read anew do not match it either', fakeSecrets(['old'], ['new', 'old'])],
    ['when the secrets were read too lately to be read again', fakeSecrets(['old'], undefined)],
    ['when there is no secret at all', fakeSecrets([], [])],
  ])('%s', async (_, secrets) => {
    const { ingest, sent, calls } = setUpIngest({ secrets });
    const answer = await ingest(signedRequest(sampleBody(), { signature: wrongSignature }));
    expect(answer).toEqual(json(401, 'bad_signature'));
    expect(sent).toEqual([]);
    expect(calls).toEqual({ valid: 1, reread: 1 });
  });

  it('when the only secret is empty and the digest was made with the empty key', async () => {
    const { ingest, sent } = setUpIngest({ secrets: fakeSecrets([''], ['']) });
    expect(await ingest(signedRequest(sampleBody(), { secret: '' }))).toEqual(json(401, 'bad_signature'));
    expect(sent).toEqual([]);
  });
});

describe('the body limit', () => {
  it.each([{ base64: false }, { base64: true }])('lets exactly 512 KiB pass: %j', async (facts) => {
    const { ingest, sent } = setUpIngest();
    expect(await ingest(signedRequest(bodyOfSize(bodyLimitBytes), facts))).toEqual(json(200, 'accepted'));
    expect(bodyLimitBytes).toBe(524_288);
    expect(sent[0]?.message.body).toBe(bodyOfSize(524_288));
  });

  it.each([
    ['one byte more', bodyOfSize(bodyLimitBytes + 1)],
    ['as many characters, but more bytes', `${bodyOfSize(bodyLimitBytes).slice(0, -1)}é`],
    ['one byte more that is no JSON', Buffer.alloc(bodyLimitBytes + 1, 0xff)],
  ])('answers 413 for a signed body of %s', async (_, body) => {
    const { ingest, sent } = setUpIngest();
    expect(await ingest(signedRequest(body))).toEqual(json(413, 'too_large'));
    expect(sent).toEqual([]);
  });

  it('answers 401, not 413, for a body over it whose signature is wrong or absent', async () => {
    const { ingest } = setUpIngest();
    for (const signature of [wrongSignature, null])
      expect(await ingest(signedRequest(bodyOfSize(bodyLimitBytes + 1), { signature }))).toEqual(
        json(401, 'bad_signature'),
      );
  });
});

describe('trouble of our own is answered 503 with a time to try again', () => {
  const unavailable = json(503, 'unavailable', { 'retry-after': '30' });
  const queueTrouble = 'delivery_not_queued';
  const refused = async () => Promise.reject(new Error('no'));

  it.each([
    ['the queue refuses a message', queueTrouble, sampleBody(), setUpIngest({ queue: fakeSendMessage(refused) })],
    [
      'the quarantine queue refuses a message',
      queueTrouble,
      'not JSON',
      setUpIngest({ queue: fakeSendMessage(refused) }),
    ],
    [
      'the queue does not answer in time',
      queueTrouble,
      sampleBody(),
      setUpIngest({ queue: fakeSendMessage(hang), deadlineMs: 20 }),
    ],
    [
      'the secrets cannot be read',
      'secret_unreadable',
      sampleBody(),
      setUpIngest({ secrets: fakeSecrets(new Error('no')) }),
    ],
  ])('when %s', async (_, code, body, { ingest, errors, sent }) => {
    expect(await ingest(signedRequest(body))).toEqual(unavailable);
    expect(sent).toEqual([]);
    expect(errors).toEqual([{ code, error: expect.any(Error), fields: { deliveryId: sample.requestId } }]);
  });

  it('when nothing matches and the secrets cannot be read anew, as the signature may be right', async () => {
    const { ingest } = setUpIngest({ secrets: fakeSecrets(['old'], new Error('no')) });
    expect(await ingest(signedRequest(sampleBody(), { secret: 'new' }))).toEqual(unavailable);
  });
});

function hang(abortSignal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => abortSignal.addEventListener('abort', () => reject(abortSignal.reason)));
}

function signatureOfBase64Text() {
  const base64 = Buffer.from(sampleBody()).toString('base64');
  return signedRequest(sampleBody(), { base64: true, signature: signatureOf(base64) });
}

function signedWithHeader(name: string) {
  return signedRequest(sampleBody(), { signature: null, headers: { [name]: signatureOf(sampleBody()) } });
}
