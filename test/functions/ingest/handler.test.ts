import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../../functions/domain/message-body.ts';
import { healthRequest, sample, sampleBody, signatureOf, signedRequest } from '../../support/builders/builders.ts';
import { json, queueUrls, setUpIngest } from '../../support/builders/ingest.ts';
import { fakeSecrets } from '../../support/fakes/fakes.ts';

const attributes = { receivedAt: sample.receivedAt, deliveryId: sample.requestId };

describe('a signed message that is understood', () => {
  it.each(Object.entries(queueUrls))(
    'is answered 200 accepted once it is on its queue: %s',
    async (event, queueUrl) => {
      const { ingest, sent } = setUpIngest();
      const answer = await ingest(signedRequest(sampleBody({ event })));
      expect(answer).toEqual(json(200, 'accepted'));
      expect(sent).toEqual([
        { queueUrl, message: { body: sampleBody({ event }), attributes: { ...attributes, event } } },
      ]);
    },
  );

  it('carries the receipt time and id that API Gateway gave it', async () => {
    const { ingest, sent } = setUpIngest();
    await ingest(signedRequest(sampleBody(), { requestId: 'request-2', timeEpoch: 0 }));
    const expected = { event: sample.event, receivedAt: '1970-01-01T00:00:00.000Z', deliveryId: 'request-2' };
    expect(sent[0]?.message.attributes).toEqual(expected);
  });

  it('is kept just as verbatim when API Gateway took it for binary', async () => {
    const { ingest, sent } = setUpIngest();
    expect(await ingest(signedRequest(sampleBody(), { base64: true }))).toEqual(json(200, 'accepted'));
    expect(sent[0]?.message).toEqual({ body: sampleBody(), attributes: { ...attributes, event: sample.event } });
  });

  it('is kept in base64 when it holds characters that SQS would not carry', async () => {
    const { ingest, sent } = setUpIngest();
    const body = sampleBody({ name: '🧾' });
    expect(await ingest(signedRequest(body))).toEqual(json(200, 'accepted'));
    expect(sent[0]?.queueUrl).toBe(queueUrls['user_uploads.added']);
    expect(sent[0]?.message.body).toBe(Buffer.from(body).toString('base64'));
    expect(sent[0]?.message.attributes).toEqual({ ...attributes, event: sample.event, encoding: 'base64' });
  });

  it.each(['x-argyle-signature', 'X-Argyle-Signature', 'X-ARGYLE-SIGNATURE'])(
    'may name its header in any letter case and write its digest in either: %s',
    async (name) => {
      const { ingest } = setUpIngest();
      for (const signature of [signatureOf(sampleBody()), signatureOf(sampleBody()).toUpperCase()]) {
        const request = { ...signedRequest(sampleBody()), headers: { 'User-Agent': 'Argyle', [name]: signature } };
        expect(await ingest(request)).toEqual(json(200, 'accepted'));
      }
    },
  );

  it('may be signed with either of two valid secrets, without the secrets being read again', async () => {
    const { ingest, calls } = setUpIngest({ secrets: fakeSecrets(['current', 'pending']) });
    for (const secret of ['current', 'pending'])
      expect(await ingest(signedRequest(sampleBody(), { secret }))).toEqual(json(200, 'accepted'));
    expect(calls).toEqual({ valid: 2, reread: 0 });
  });

  it('is accepted when only the secrets read anew match it', async () => {
    const { ingest, sent, calls } = setUpIngest({ secrets: fakeSecrets(['old'], ['new', 'old']) });
    expect(await ingest(signedRequest(sampleBody(), { secret: 'new' }))).toEqual(json(200, 'accepted'));
    expect(sent).toHaveLength(1);
    expect(calls).toEqual({ valid: 1, reread: 1 });
  });
});

describe('a signed message that is not understood', () => {
  it.each([
    ['an unknown event', sampleBody({ event: 'accounts.connected' }), 'accounts.connected'],
    ['an event named like a property of every object', sampleBody({ event: 'constructor' }), 'constructor'],
    ['an event too long for an attribute', sampleBody({ event: 'e'.repeat(129) }), 'unreadable'],
    ['an event of characters that an attribute may not have', sampleBody({ event: 'a\u0000b' }), 'unreadable'],
    ['an event without a name', sampleBody({ event: '' }), 'unreadable'],
    ['no JSON', 'not JSON', 'unreadable'],
    ['JSON that is no object', '[]', 'unreadable'],
    ['missing ids', '{"event":"user_uploads.added","data":{}}', 'user_uploads.added'],
  ])('is answered 200 and kept verbatim in quarantine: %s', async (_, body, event) => {
    const { ingest, sent } = setUpIngest();
    expect(await ingest(signedRequest(body))).toEqual(json(200, 'quarantined'));
    expect(sent).toEqual([{ queueUrl: 'quarantine queue', message: { body, attributes: { ...attributes, event } } }]);
  });

  it.each([
    ['an empty body', Buffer.alloc(0), '='],
    ['invalid UTF-8', Buffer.from([0xff, 0x00]), '/wA='],
  ])('is answered 200 and kept in base64 in quarantine: %s', async (_, body, text) => {
    const { ingest, sent } = setUpIngest();
    expect(await ingest(signedRequest(body))).toEqual(json(200, 'quarantined'));
    const expected = { body: text, attributes: { ...attributes, event: 'unreadable', encoding: 'base64' } };
    expect(sent).toEqual([{ queueUrl: 'quarantine queue', message: expected }]);
  });

  it('is kept when the request has no body at all', async () => {
    const { ingest, sent } = setUpIngest();
    const { body: _, ...request } = signedRequest('');
    expect(await ingest(request)).toEqual(json(200, 'quarantined'));
    expect(sent).toHaveLength(1);
  });

  it('is answered 200 and kept with every byte, whatever the bytes are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (body) => {
        const { ingest, sent } = setUpIngest();
        expect(await ingest(signedRequest(body))).toMatchObject({ statusCode: 200 });
        const message = sent[0]?.message;
        const kept = decodeBody(message?.body ?? '', message?.attributes.encoding);
        expect(Buffer.from(kept ?? 'undefined')).toEqual(Buffer.from(body));
      }),
    );
  });
});

describe('GET /healthz', () => {
  it('is answered 200 without secrets, queue or a measure line', async () => {
    const { ingest, sent, calls, measured } = setUpIngest({ secrets: fakeSecrets(new Error('no')) });
    expect(await ingest(healthRequest())).toEqual(json(200, 'ok'));
    expect(calls).toEqual({ valid: 0, reread: 0 });
    expect([sent, measured]).toEqual([[], []]);
  });
});
