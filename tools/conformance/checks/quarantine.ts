import { answerCheck, type Check, check, demand, includesBody, mapValues } from '../check.ts';
import { readWhenApplied } from '../observer.ts';
import { dataOf, sampleEvent, sampleName, sampleUnknownEvent, sampleUpload, webhookBody } from '../samples.ts';

type Bodies = Readonly<Record<string, () => string | Uint8Array>>;

// Some are names of Object.prototype: a receiver that looks events up in a plain object finds them.
const unknownEvents: Bodies = Object.fromEntries(
  [sampleUnknownEvent, '', 'constructor', '__proto__', 'toString', sampleEvent.toUpperCase(), `${sampleEvent} `].map(
    (event) => [`'${event}'`, () => webhookBody(event)],
  ),
);

const missingIds: Bodies = {
  ...mapValues(dataOf(sampleUpload()), (_, id) => () => withData({ [id]: undefined })),
  'no data': () => JSON.stringify({ event: sampleEvent, name: sampleName }),
  'data that is null': () => JSON.stringify({ event: sampleEvent, data: null }),
  'an id that is a number': () => withData({ user_upload: 12 }),
  'an id in another format': () => withData({ user_upload: 'c0ffee00' }),
  'an empty id': () => withData({ account: '' }),
};

const notWebhooks: Bodies = {
  'not JSON': () => 'conformance: not JSON',
  'half of a JSON text': () => webhookBody(sampleEvent).slice(0, -20),
  'an array': () => `[${webhookBody(sampleEvent)}]`,
  null: () => 'null',
  'no event': () => JSON.stringify({ name: sampleName, data: dataOf(sampleUpload()) }),
  'an event that is an object': () => JSON.stringify({ event: { name: sampleName } }),
  'deep JSON': () => '['.repeat(20_000),
};

const notText: Bodies = {
  'invalid UTF-8': () =>
    Buffer.concat([Buffer.from(`{"event": "${sampleUnknownEvent}`), Buffer.from([0xff, 0xc3, 0x28])]),
  'a byte order mark': () => Buffer.from(`\ufeff${webhookBody(sampleUnknownEvent)}`),
  NUL: () => Buffer.from(`${sampleUnknownEvent}\u0000`),
  'every byte': () => Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
};

const kinds: Readonly<Record<string, Bodies>> = {
  'an unknown event': unknownEvents,
  'a webhook without its ids': missingIds,
  'a body that is not a webhook': notWebhooks,
  'an empty body': { nothing: () => '' },
  'bytes that are not text': notText,
};

/** Checks that the receiver stores signed messages that it cannot read: they are genuine, and Argyle does not send them again. */
export const quarantine: readonly Check[] = [
  ...Object.entries(kinds).map(([kind, bodies]) =>
    answerCheck(`quarantines ${kind}`, 'quarantined', () => mapValues(bodies, (make) => ({ body: make() }))),
  ),
  check('stores every byte of what it quarantines', ['readQuarantine'], async (receiver, { readQuarantine }) => {
    for (const [kind, bodies] of Object.entries(kinds)) {
      for (const [what, make] of Object.entries(bodies)) {
        const body = make();
        await receiver.post({ body });
        demand(includesBody(await readQuarantine(), body), `${kind}, ${what}: the body is not in the quarantine`);
      }
    }
  }),
  check('creates no record of an unknown event', ['readRecord'], async (receiver, observer) => {
    const [unknown, known] = [sampleUpload(), sampleUpload()];
    await receiver.post({ body: webhookBody(sampleUnknownEvent, unknown) });
    await receiver.post({ body: webhookBody(sampleEvent, known) });
    await readWhenApplied(observer, known.userUpload, [sampleEvent]);
    demand((await observer.readRecord(unknown.userUpload)) === undefined, 'there is a record');
  }),
];

function withData(changes: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ event: sampleEvent, name: sampleName, data: { ...dataOf(sampleUpload()), ...changes } });
}
