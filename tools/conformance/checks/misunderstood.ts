import { readWhenApplied } from '../applied.ts';
import { type Check, check, demand, expectAnswer, holds } from '../check.ts';
import { dataOf, sampleEvent, sampleName, sampleUnknownEvent, sampleUpload, webhookBody } from '../samples.ts';

type Bodies = Readonly<Record<string, () => string>>;

// Names of what every object has, too: whoever looks an event up in an object finds these.
const unknownEvents: Bodies = Object.fromEntries(
  [sampleUnknownEvent, '', 'constructor', '__proto__', 'toString', sampleEvent.toUpperCase(), `${sampleEvent} `].map(
    (event) => [`'${event}'`, () => webhookBody(event)],
  ),
);

const missingIds: Bodies = {
  ...Object.fromEntries(
    Object.keys(dataOf(sampleUpload())).map((id) => [`no ${id}`, () => withData({ [id]: undefined })]),
  ),
  'no data': () => JSON.stringify({ event: sampleEvent, name: sampleName }),
  'data that is null': () => JSON.stringify({ event: sampleEvent, data: null }),
  'an id that is a number': () => withData({ user_upload: 12 }),
  'an id that is no id': () => withData({ user_upload: 'c0ffee00' }),
  'an empty id': () => withData({ account: '' }),
};

const notWebhooks: Bodies = {
  'no JSON': () => 'conformance: not JSON',
  'half of a JSON text': () => webhookBody(sampleEvent).slice(0, -20),
  'an array': () => `[${webhookBody(sampleEvent)}]`,
  null: () => 'null',
  'no event': () => JSON.stringify({ name: sampleName, data: dataOf(sampleUpload()) }),
  'an event that is an object': () => JSON.stringify({ event: { name: sampleName } }),
  'deep JSON': () => '['.repeat(20_000),
};

const kinds: Readonly<Record<string, Bodies>> = {
  'an unknown event': unknownEvents,
  'a webhook without its ids': missingIds,
  'what is no webhook': notWebhooks,
  'an empty body': { nothing: () => '' },
};

/** What is signed and not understood is genuine: Argyle sends it once, so it is kept and never refused. */
export const misunderstood: readonly Check[] = [
  ...Object.entries(kinds).map(([kind, bodies]) =>
    check(`quarantines ${kind}`, [], async (receiver) => {
      for (const [what, body] of Object.entries(bodies)) {
        expectAnswer(await receiver.post(body()), 'quarantined', what);
      }
    }),
  ),

  check('keeps in the quarantine what it says it does', ['readQuarantine'], async (receiver, { readQuarantine }) => {
    for (const [kind, bodies] of Object.entries(kinds)) {
      for (const [what, make] of Object.entries(bodies)) {
        const body = make();
        await receiver.post(body);
        demand(holds(await readQuarantine(), body), `${kind}, ${what}: it is not in the quarantine`);
      }
    }
  }),

  check('makes no record of an unknown event', ['readRecord'], async (receiver, observer) => {
    const [unknown, known] = [sampleUpload(), sampleUpload()];
    await receiver.post(webhookBody(sampleUnknownEvent, unknown));
    await receiver.post(webhookBody(sampleEvent, known));
    await readWhenApplied(observer, known.userUpload, [sampleEvent]);
    demand((await observer.readRecord(unknown.userUpload)) === undefined, 'there is a record');
  }),
];

function withData(changes: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ event: sampleEvent, name: sampleName, data: { ...dataOf(sampleUpload()), ...changes } });
}
