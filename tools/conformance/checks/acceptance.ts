import { eventTypes } from '../../../functions/domain/events.ts';
import { answerCheck, type Check, check, demand, includesBody, mapValues } from '../check.ts';
import { dataOf, foreignId, sampleEvent, sampleName, sampleUpload, signatureOf, webhookBody } from '../samples.ts';

type Bodies = Readonly<Record<string, () => string>>;

const sampleBody = () => webhookBody(sampleEvent);
const named = (name: string) => webhookBody(sampleEvent, undefined, name);

const whitespace = {
  'CR LF and tabs': () => sampleBody().replaceAll('\n', '\r\n').replaceAll('  ', '\t'),
  'a final line feed': () => `${sampleBody()}\n`,
  'blanks around it': () => `  ${sampleBody()} \t`,
  'no whitespace': () => JSON.stringify(JSON.parse(sampleBody())),
};
const unicode = {
  'letters above ASCII': () => named('conformance Gehälter Łódź 給与'),
  'a character above U+FFFF': () => named('conformance 🧾'),
  'composed and decomposed accents': () => named('conformance \u00e9 e\u0301'),
  'a line separator': () => named('conformance \u2028\u2029'),
};
const escapes = {
  'escaped letters': () => sampleBody().replace('conformance', '\\u0063onformance \\u00e9 \\ud83e\\uddfe'),
  'an escaped slash': () => sampleBody().replace('conformance', 'conformance \\/ \\b\\f'),
  'a lone surrogate': () => sampleBody().replace('conformance', 'conformance \\ud800'),
  'a key twice': () => sampleBody().replace('"name"', '"name": "first",\n  "name"'),
  'a number beyond precision': () => sampleBody().replace('"name"', '"n": 12345678901234567890.10,\n  "name"'),
};

/** Checks that the receiver accepts everything that Argyle may send, and every form to which a proxy may change it. */
export const acceptance: readonly Check[] = [
  answerCheck('accepts every event of the catalogue', 'accepted', () =>
    Object.fromEntries(eventTypes.map((event) => [event, { body: webhookBody(event) }])),
  ),
  answerCheck('accepts ids that are not RFC UUIDs', 'accepted', () => ({
    'such ids': { body: webhookBody(sampleEvent, sampleUpload(foreignId)) },
  })),
  answerCheck('accepts unknown fields', 'accepted', () => {
    const data = { ...dataOf(sampleUpload()), extra: [1, { deep: null }] };
    return {
      'more fields': { body: JSON.stringify({ event: sampleEvent, name: sampleName, data, extra: true }) },
      'fewer fields': { body: JSON.stringify({ data, event: sampleEvent }) },
    };
  }),
  answerCheck('accepts a digest in upper case', 'accepted', ({ secret }) => {
    const body = sampleBody();
    return { 'upper case': { body, signature: signatureOf(body, secret).toUpperCase() } };
  }),
  answerCheck('accepts the header in any letter case', 'accepted', ({ secret }) => {
    const body = sampleBody();
    const names = ['x-argyle-signature', 'X-ARGYLE-SIGNATURE', 'x-ArGyLe-SiGnAtUrE'];
    const withHeader = (name: string) => ({ body, signature: null, headers: { [name]: signatureOf(body, secret) } });
    return Object.fromEntries(names.map((name) => [name, withHeader(name)]));
  }),
  answerCheck('accepts text of any content type', 'accepted', () => {
    const types = ['application/json; charset=utf-8', 'text/plain', 'application/xml'];
    return Object.fromEntries(types.map((contentType) => [contentType, { body: sampleBody(), contentType }]));
  }),
  // API Gateway passes these to the function in base64.
  answerCheck('accepts bodies that a gateway treats as binary', 'accepted', () => {
    const types = ['application/octet-stream', 'image/png', 'multipart/form-data; boundary=b', null];
    return Object.fromEntries(types.map((contentType) => [contentType ?? 'none', { body: sampleBody(), contentType }]));
  }),
  answerCheck('accepts a chunked body without Content-Length', 'accepted', () => ({
    chunks: { body: sampleBody(), isChunked: true },
  })),
  // The signature covers the raw bytes, so the raw bytes are verified and stored.
  ...Object.entries<Bodies>({ whitespace, unicode, escapes }).map(([kind, bodies]) =>
    answerCheck(`verifies ${kind} byte for byte`, 'accepted', () => mapValues(bodies, (make) => ({ body: make() }))),
  ),
  check('queues every byte of a known event', ['readQueued'], async (receiver, { readQueued }) => {
    for (const [what, make] of Object.entries({ ...whitespace, ...unicode, ...escapes })) {
      const body = make();
      await receiver.post({ body });
      demand(includesBody(await readQueued(), body), `${what}: the body that was sent is not in the queue`);
    }
  }),
];
