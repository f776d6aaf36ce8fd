import { eventTypes } from '../../../../functions/domain/events.ts';
import { digestOf, readWebhook, reference } from '../reference.ts';
import type { Flaw } from './flaw.ts';

/** Receivers that lose what is genuine. */
export const refusesTooMuch: readonly Flaw[] = [
  {
    name: 'compares the digest as text with ===',
    steps: () => ({
      isSigned: (body, signature, secret) => signature === digestOf(body, secret).toString('hex'),
    }),
    caughtBy: ['accepts a digest in upper case'],
  },
  {
    name: 'looks for the header in one letter case',
    steps: () => ({
      readSignature: ({ rawHeaders }) => rawHeaders[rawHeaders.indexOf('X-Argyle-Signature') + 1],
    }),
    caughtBy: ['accepts the header in any letter case'],
  },
  {
    name: 'takes application/json only',
    steps: () => ({
      readSignature: (request) =>
        request.headers['content-type'] === 'application/json' ? reference.readSignature(request) : undefined,
    }),
    caughtBy: ['accepts text of any content type', 'accepts what a gateway takes for binary'],
  },
  {
    name: 'ignores that a body is in base64',
    steps: () => ({ decode: (text) => Buffer.from(text) }),
    caughtBy: [
      'accepts what a gateway takes for binary',
      'takes bytes that are no text as they were signed',
      'keeps every byte of what it does not understand',
    ],
  },
  {
    name: 'forgets an event of the catalogue',
    steps: () => ({
      readWebhook: (body) => {
        const webhook = readWebhook(body);
        return webhook?.event === eventTypes.at(-1) ? undefined : webhook;
      },
    }),
    caughtBy: [
      'accepts every event of the catalogue',
      'records each event of the catalogue in its slot',
      'keeps one whole record when all comes at once, and repeated',
      'ends in the same record in any order',
    ],
  },
  {
    name: 'takes RFC UUIDs only',
    steps: () => ({ readWebhook: (body) => readWebhook(body, rfcUuid) }),
    caughtBy: ['accepts ids that are no RFC UUIDs', 'records documents whose ids are no RFC UUIDs'],
  },
  {
    name: 'takes the fields only that it knows',
    steps: () => ({
      readWebhook: (body) => {
        const webhook = readWebhook(body);
        return webhook && Object.keys(JSON.parse(body.toString())).length <= 3 ? webhook : undefined;
      },
    }),
    caughtBy: [
      'accepts fields that it does not know',
      'takes escapes as it was signed',
      'keeps every byte of what it understands',
    ],
  },
  {
    name: 'refuses a delivery that it has had',
    steps: () => {
      const had = new Set<string>();
      return {
        receive: async (steps, world, delivery) => {
          const text = delivery.body.toString();
          const status = await reference.receive(steps, world, delivery);
          if (status !== 'accepted') return status;
          if (had.has(text)) return 'bad_request';
          had.add(text);
          return status;
        },
      };
    },
    caughtBy: ['answers a repeat like the first delivery', 'answers repeats at the same time alike'],
  },
  {
    name: 'fails while the same delivery is under way',
    steps: () => {
      const underWay = new Set<string>();
      return {
        readBody: async (request) => {
          const signature = reference.readSignature(request) ?? '';
          if (underWay.has(signature)) throw new Error('locked');
          underWay.add(signature);
          return reference.readBody(request).finally(() => underWay.delete(signature));
        },
      };
    },
    caughtBy: ['answers repeats at the same time alike'],
  },
];

const rfcUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
