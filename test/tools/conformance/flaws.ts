import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { events, eventTypes, isEventType } from '../../../functions/domain/events.ts';
import { sampleEvent } from '../../../tools/conformance/samples.ts';
import {
  alsoAccepting,
  collecting,
  onlyNew,
  parse,
  refusing,
  verifying,
  verifyingConnections,
} from './flawed-steps.ts';
import { apply, digestOf, readWebhook, reference, type Steps } from './reference.ts';

/** A receiver with one mistake, and the checks that must fail because of it. */
export type Flaw = { readonly name: string; readonly fails: readonly string[]; readonly steps: Partial<Steps> };

const { enqueue, isSigned, merge, processBatch, readBody, readSignature, receive } = reference;
const rfcUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const flaws: readonly Flaw[] = [
  // Refuses genuine deliveries.
  flaw('compares the digest as text with ===', ['accepts a digest in upper case'], {
    isSigned: (body, signature, secret) => signature === digestOf(body, secret).toString('hex'),
  }),
  flaw('looks for the header in one letter case', ['accepts the header in any letter case'], {
    readSignature: ({ rawHeaders }) => rawHeaders[rawHeaders.indexOf('X-Argyle-Signature') + 1],
  }),
  flaw(
    'accepts only application/json',
    ['accepts text of any content type', 'accepts bodies that a gateway treats as binary'],
    {
      readSignature: (request) =>
        request.headers['content-type'] === 'application/json' ? readSignature(request) : undefined,
    },
  ),
  flaw('does not know an event of the catalogue', ['accepts every event of the catalogue'], {
    readWebhook: (body) => [readWebhook(body)].find((webhook) => webhook?.event !== eventTypes.at(-1)),
  }),
  flaw(
    'accepts only RFC UUIDs',
    ['accepts ids that are not RFC UUIDs', 'records each event of the catalogue in its slot'],
    { readWebhook: (body) => readWebhook(body, rfcUuid) },
  ),
  flaw('accepts only the fields that it knows', ['accepts unknown fields'], {
    readWebhook: (body) => (Object.keys(parse(body)).length <= 3 ? readWebhook(body) : undefined),
  }),
  flaw(
    'answers 400 to an unknown event',
    ['quarantines an unknown event'],
    refusing((body) => typeof parse(body).event === 'string' && !isEventType(String(parse(body).event))),
  ),
  flaw(
    'answers 400 to a webhook without its ids',
    ['quarantines a webhook without its ids'],
    refusing((body) => isEventType(String(parse(body).event)) && !readWebhook(body)),
  ),
  flaw(
    'parses before it verifies',
    [
      'verifies the signature before it parses the body',
      'quarantines a body that is not a webhook',
      'quarantines an empty body',
    ],
    {
      receive: async (steps, state, delivery) =>
        parse(delivery.body).event === undefined ? 'bad_request' : receive(steps, state, delivery),
    },
  ),
  // Accepts forgeries.
  flaw('verifies only if there is a signature', ['refuses a missing signature'], {
    isSigned: (body, signature, secret) => signature === undefined || isSigned(body, signature, secret),
  }),
  flaw('compares as many digits as there are', ['refuses a signature of the wrong length'], {
    isSigned: (body, signature, secret) =>
      signature !== undefined && digestOf(body, secret).toString('hex').startsWith(signature.toLowerCase()),
  }),
  flaw('compares only the first 16 bytes', ['refuses a digest that differs in one digit'], {
    isSigned: (body, signature, secret) =>
      signature?.slice(0, 32) === digestOf(body, secret).toString('hex').slice(0, 32),
  }),
  flaw('accepts a digest with a prefix', ['refuses a malformed signature'], {
    isSigned: (body, signature, secret) => isSigned(body, signature?.replace('sha512=', ''), secret),
  }),
  flaw('accepts HMAC-SHA256', ['refuses a digest of another algorithm'], {
    isSigned: (body, signature, secret) =>
      isSigned(body, signature, secret) || createHmac('sha256', secret).update(body).digest('hex') === signature,
  }),
  flaw(
    'accepts a signature over re-serialised JSON',
    ['refuses a signature over re-serialised JSON'],
    alsoAccepting((body, ...rest) => isSigned(Buffer.from(JSON.stringify(parse(body))), ...rest)),
  ),
  flaw(
    'treats an absent previous secret as an empty one',
    ['refuses a signature made with an empty secret'],
    alsoAccepting((body, signature) => isSigned(body, signature, '')),
  ),
  flaw(
    'keeps the line feed of its secret',
    ['refuses the signature of another secret'],
    alsoAccepting((body, signature, secret) => isSigned(body, signature, `${secret}\n`)),
  ),
  flaw('fails open without a secret', ['accepts nothing while it has no secret'], {
    receive: (steps, state, delivery) =>
      state.secret
        ? receive(steps, state, delivery)
        : receive({ ...steps, isSigned: () => true }, { ...state, secret: 'none' }, delivery),
  }),
  flaw('quarantines what it refuses', ['queues no refused delivery'], {
    receive: async (steps, state, delivery) => {
      const status = await receive(steps, state, delivery);
      if (status === 'bad_signature')
        await enqueue(state, { event: undefined, body: delivery.body, receivedAt: state.now() });
      return status;
    },
  }),
  flaw('records before it verifies', ['records no refused delivery'], {
    receive: async (steps, state, delivery) => {
      const webhook = readWebhook(delivery.body);
      if (webhook) apply(steps, state, webhook, state.now());
      return receive(steps, state, delivery);
    },
  }),
  // Changes the raw bytes.
  flaw(
    'verifies the body without the whitespace around it',
    ['verifies whitespace byte for byte', 'refuses a tampered body'],
    verifying((text) => text.trim()),
  ),
  flaw(
    'normalises unicode before it verifies',
    ['verifies unicode byte for byte'],
    verifying((text) => text.normalize('NFC')),
  ),
  flaw(
    'resolves escapes before it verifies',
    ['verifies escapes byte for byte'],
    verifying((text) => text.replaceAll('\\/', '/')),
  ),
  flaw(
    'verifies text instead of bytes',
    ['quarantines bytes that are not text'],
    verifying((text) => text),
  ),
  flaw('queues re-serialised JSON', ['queues every byte of a known event'], {
    enqueue: (state, message) =>
      enqueue(state, message.event ? { ...message, body: Buffer.from(JSON.stringify(parse(message.body))) } : message),
  }),
  flaw('queues text instead of bytes', ['stores every byte of what it quarantines'], {
    enqueue: (state, message) => enqueue(state, { ...message, body: Buffer.from(message.body.toString()) }),
  }),
  // Writes wrong records.
  flaw('lets the last writer win', ['changes no record on a repeat', 'keeps a removal after later events'], {
    merge: (record, { event, ids }, receivedAt) => ({ ...record, ...ids, [events[event].slot]: receivedAt }),
  }),
  flaw(
    'writes a new record for each event',
    ['writes the same record in any order of events', 'writes one complete record from concurrent repeats'],
    { merge: (_, webhook, receivedAt) => merge(undefined, webhook, receivedAt) },
  ),
  flaw('records the user as the account', ['records each event of the catalogue in its slot'], {
    merge: (record, { event, ids }, receivedAt) =>
      merge(record, { event, ids: { ...ids, account: ids.user } }, receivedAt),
  }),
  flaw('lets the last owner win', ['keeps the owner of a document when an event names another one'], {
    isOwner: () => true,
  }),
  flaw('records an unknown event as another one', ['creates no record of an unknown event'], {
    receive: async (steps, state, delivery) => {
      const webhook = readWebhook(Buffer.from(JSON.stringify({ ...parse(delivery.body), event: sampleEvent })));
      if (webhook) apply(steps, state, webhook, state.now());
      return receive(steps, state, delivery);
    },
  }),
  // Loses deliveries during failures.
  flaw('reads its secret for each delivery', ['accepts deliveries while the store of its secret does not answer'], {
    receive: async (steps, state, delivery) =>
      state.isSecretReadable ? receive(steps, state, delivery) : 'unavailable',
  }),
  flaw(
    'acknowledges before it queues',
    ['answers 503 with Retry-After while the queue is down', 'does not answer 200 before the queue has the message'],
    {
      enqueue: async (state, message) => {
        enqueue(state, message).catch(() => undefined);
      },
    },
  ),
  flaw('remembers a delivery before it is queued', ['records a delivery that is retried after a 503'], {
    enqueue: onlyNew(() => undefined),
  }),
  flaw(
    'drops the batch that contains a poison message',
    ['applies the rest of a batch with a poison message', 'moves only the poison message to the dead-letter queue'],
    {
      processBatch: async (steps, state, batch) => {
        if (batch.every(({ body }) => readWebhook(body))) await processBatch(steps, state, batch);
      },
    },
  ),
  flaw('logs the body of what it quarantines', ['logs no body, signature or secret'], {
    logLine: (status, { body }) => `${status} ${status === 'quarantined' ? body : ''}`,
  }),
  // Misreads HTTP.
  flaw('accepts any path', ['refuses other paths'], { isRouted: (method) => method === 'POST' }),
  flaw('accepts any method', ['refuses other methods'], { isRouted: (_, path) => path === '/webhooks' }),
  flaw('trusts Content-Length', ['accepts a chunked body without Content-Length'], {
    readBody: async (request) => (await readBody(request)).subarray(0, Number(request.headers['content-length'] ?? 0)),
  }),
  flaw('processes the part of a body that ends early', ['records no body that ends early'], {
    readBody: async (request) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
      await Promise.race([once(request, 'end'), once(request, 'aborted')]);
      return Buffer.concat(chunks);
    },
  }),
  flaw(
    'collects all bodies in one buffer',
    [
      'answers concurrent repeats alike',
      'accepts a slow body, and serves other senders meanwhile',
      'accepts 32 connections at once',
    ],
    { readBody: collecting([]) },
  ),
  flaw(
    'verifies a connection instead of a request',
    ['verifies each request of a connection'],
    verifyingConnections(new WeakSet()),
  ),
  flaw('fails on a repeated delivery', ['answers a repeated delivery like the first'], {
    enqueue: onlyNew(() => {
      throw new Error('a repeat');
    }),
  }),
  flaw('fails on a body over 1 MiB', ['survives a body of 11 MiB'], {
    readBody: async (request) => {
      const body = await readBody(request);
      if (body.length > 2 ** 20) throw new RangeError('no room');
      return body;
    },
  }),
  flaw('has no body limit', ['refuses a body of 512 KiB and one byte'], { isTooLarge: () => false }),
  flaw('refuses a body at its limit', ['accepts a body of exactly 512 KiB'], {
    isTooLarge: (body) => body.length >= 512 * 1024,
  }),
];

function flaw(name: string, fails: readonly string[], steps: Partial<Steps>): Flaw {
  return { name, fails, steps };
}
