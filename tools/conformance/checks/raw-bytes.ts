import { type Check, check, demand, expectAnswer, holds } from '../check.ts';
import { sampleEvent, sampleUnknownEvent, webhookBody } from '../samples.ts';

type Bodies = Readonly<Record<string, () => string>>;

const whitespace: Bodies = {
  'CR LF and tabs': () => webhookBody(sampleEvent).replaceAll('\n', '\r\n').replaceAll('  ', '\t'),
  'a final line feed': () => `${webhookBody(sampleEvent)}\n`,
  'blanks around it': () => `  ${webhookBody(sampleEvent)} \t`,
  'no whitespace': () => JSON.stringify(JSON.parse(webhookBody(sampleEvent))),
};
const unicode: Bodies = {
  'letters above ASCII': () => named('conformance Gehälter Łódź 給与'),
  'a character above U+FFFF': () => named('conformance 🧾'),
  'composed and decomposed accents': () => named('conformance \u00e9 e\u0301'),
  'a line separator': () => named('conformance \u2028\u2029'),
};
const escapes: Bodies = {
  'escaped letters': () => webhookBody(sampleEvent).replace('conformance', '\\u0063onformance \\u00e9 \\ud83e\\uddfe'),
  'an escaped slash': () => webhookBody(sampleEvent).replace('conformance', 'conformance \\/ \\b\\f'),
  'a lone surrogate': () => webhookBody(sampleEvent).replace('conformance', 'conformance \\ud800'),
  'a key twice': () => webhookBody(sampleEvent).replace('"name"', '"name": "first",\n  "name"'),
  'a number beyond precision': () =>
    webhookBody(sampleEvent).replace('"name"', '"n": 12345678901234567890.10,\n  "name"'),
};

const understood: Bodies = { ...whitespace, ...unicode, ...escapes };

const notText = {
  'invalid UTF-8': () =>
    Buffer.concat([Buffer.from(`{"event": "${sampleUnknownEvent}`), Buffer.from([0xff, 0xc3, 0x28])]),
  'a byte order mark': () => Buffer.from(`\ufeff${webhookBody(sampleUnknownEvent)}`),
  NUL: () => Buffer.from(`${sampleUnknownEvent}\u0000`),
  'every byte': () => Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
};

/** The signature is over the raw bytes, so the raw bytes are what is verified and what is kept. */
export const rawBytes: readonly Check[] = [
  ...Object.entries({ whitespace, unicode, escapes }).map(([kind, bodies]) =>
    check(`takes ${kind} as it was signed`, [], async (receiver) => {
      for (const [what, body] of Object.entries(bodies)) {
        expectAnswer(await receiver.post(body()), 'accepted', what);
      }
    }),
  ),

  check('takes bytes that are no text as they were signed', [], async (receiver) => {
    for (const [what, body] of Object.entries(notText)) {
      expectAnswer(await receiver.post(body()), 'quarantined', what);
    }
  }),

  check('keeps every byte of what it understands', ['readQueued'], async (receiver, { readQueued }) => {
    for (const [what, make] of Object.entries(understood)) {
      const body = make();
      await receiver.post(body);
      demand(holds(await readQueued(), body), `${what}: no body in the queue is the one that was sent`);
    }
  }),

  check('keeps every byte of what it does not understand', ['readQuarantine'], async (receiver, { readQuarantine }) => {
    for (const [what, make] of Object.entries(notText)) {
      const body = make();
      await receiver.post(body);
      demand(holds(await readQuarantine(), body), `${what}: no body in the quarantine is the one that was sent`);
    }
  }),
];

function named(name: string): string {
  return webhookBody(sampleEvent, undefined, name);
}
