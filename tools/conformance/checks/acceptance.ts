import { eventTypes } from '../../../functions/domain/events.ts';
import { type Check, check, expectAnswer } from '../check.ts';
import { dataOf, foreignId, sampleEvent, sampleName, sampleUpload, signatureOf, webhookBody } from '../samples.ts';

/** What Argyle may send, and what a proxy may make of it, is accepted. */
export const acceptance: readonly Check[] = [
  check('accepts every event of the catalogue', [], async (receiver) => {
    for (const event of eventTypes) expectAnswer(await receiver.post(webhookBody(event)), 'accepted', event);
  }),

  check('accepts ids that are no RFC UUIDs', [], async (receiver) => {
    const body = webhookBody(sampleEvent, sampleUpload(foreignId));
    expectAnswer(await receiver.post(body), 'accepted', 'such ids');
  }),

  check('accepts fields that it does not know', [], async (receiver) => {
    const data = { ...dataOf(sampleUpload()), extra: [1, { deep: null }] };
    const bodies = [
      JSON.stringify({ event: sampleEvent, name: sampleName, data, extra: true }),
      JSON.stringify({ data, event: sampleEvent }),
    ];
    for (const body of bodies) expectAnswer(await receiver.post(body), 'accepted', 'unknown fields');
  }),

  check('accepts a digest in upper case', [], async (receiver) => {
    const body = webhookBody(sampleEvent);
    const signature = signatureOf(body, receiver.secret).toUpperCase();
    expectAnswer(await receiver.post(body, { signature }), 'accepted', 'upper case');
  }),

  check('accepts the header in any letter case', [], async (receiver) => {
    for (const name of ['x-argyle-signature', 'X-ARGYLE-SIGNATURE', 'x-ArGyLe-SiGnAtUrE']) {
      const body = webhookBody(sampleEvent);
      const headers = { [name]: signatureOf(body, receiver.secret) };
      expectAnswer(await receiver.post(body, { signature: null, headers }), 'accepted', name);
    }
  }),

  check('accepts text of any content type', [], async (receiver) => {
    for (const contentType of ['application/json; charset=utf-8', 'text/plain', 'application/xml']) {
      expectAnswer(await receiver.post(webhookBody(sampleEvent), { contentType }), 'accepted', contentType);
    }
  }),

  // API Gateway hands these over in base64.
  check('accepts what a gateway takes for binary', [], async (receiver) => {
    for (const contentType of [null, 'application/octet-stream', 'image/png', 'multipart/form-data; boundary=b']) {
      const what = contentType ?? 'without a content type';
      expectAnswer(await receiver.post(webhookBody(sampleEvent), { contentType }), 'accepted', what);
    }
  }),

  check('accepts a body in chunks, without a Content-Length', [], async (receiver) => {
    expectAnswer(await receiver.post(webhookBody(sampleEvent), { isChunked: true }), 'accepted', 'chunks');
  }),
];
