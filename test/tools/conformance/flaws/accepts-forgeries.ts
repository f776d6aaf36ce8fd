import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { digestOf, reference, type Steps } from '../reference.ts';
import { type Flaw, forgeryChecks, keepsForgeries } from './flaw.ts';

const { isSigned } = reference;

/** Receivers that take what nobody signed, or fall over it. */
export const acceptsForgeries: readonly Flaw[] = [
  {
    name: 'crashes on a digest of another length',
    steps: () => ({
      isSigned: (body, signature, secret) =>
        signature !== undefined && timingSafeEqual(Buffer.from(signature.toLowerCase()), hexDigestOf(body, secret)),
    }),
    caughtBy: [
      'refuses a malformed signature',
      'refuses a signature of the wrong length',
      'refuses a digest of another algorithm',
    ],
  },
  {
    name: 'compares as many digits as there are',
    steps: () => ({
      isSigned: (body, signature, secret) =>
        signature !== undefined && digestOf(body, secret).toString('hex').startsWith(signature.toLowerCase()),
    }),
    caughtBy: ['refuses a signature of the wrong length', ...keepsForgeries],
  },
  {
    name: 'compares the first 16 bytes only',
    steps: () => ({
      isSigned: (body, signature, secret) => {
        const given = Buffer.from(signature ?? '', 'hex');
        return signature?.length === 128 && given.subarray(0, 16).equals(digestOf(body, secret).subarray(0, 16));
      },
    }),
    caughtBy: ['refuses a digest that differs in one digit', ...keepsForgeries],
  },
  {
    name: 'verifies only what brings a signature',
    steps: () => ({
      isSigned: (body, signature, secret) => signature === undefined || isSigned(body, signature, secret),
    }),
    caughtBy: ['refuses a missing signature', ...keepsForgeries],
  },
  {
    name: 'looks at the form of a signature only',
    steps: () => ({ isSigned: (_, signature) => /^[0-9a-f]{128}$/i.test(signature ?? '') }),
    caughtBy: [
      ...forgeryChecks('a missing signature', 'a malformed signature', 'a signature of the wrong length'),
      ...keepsForgeries,
      'refuses what is unsigned before it looks at what it says',
      'judges each of several requests on one connection by itself',
    ],
  },
  {
    name: 'verifies a connection instead of a request',
    steps: () => {
      const trusted = new WeakSet<object>();
      return {
        readSignature: (request) => {
          if (trusted.has(request.socket)) return 'trusted';
          trusted.add(request.socket);
          return reference.readSignature(request);
        },
        isSigned: (body, signature, secret) => signature === 'trusted' || isSigned(body, signature, secret),
      };
    },
    caughtBy: [
      ...forgeryChecks(),
      ...keepsForgeries,
      'refuses what is unsigned before it looks at what it says',
      'judges each of several requests on one connection by itself',
    ],
  },
  ...also('takes a digest with a prefix', 'refuses a malformed signature', (body, signature, secret) =>
    isSigned(body, signature.replace('sha512=', ''), secret),
  ),
  ...also(
    'takes HMAC-SHA256',
    'refuses a digest of another algorithm',
    (body, signature, secret) => createHmac('sha256', secret).update(body).digest('hex') === signature,
  ),
  ...also(
    'takes a hash without the secret',
    'refuses a digest of another algorithm',
    (body, signature) => createHash('sha512').update(body).digest('hex') === signature,
  ),
  ...also('takes a signature over re-serialised JSON', 'refuses a signature over re-serialised JSON', (body, ...rest) =>
    isSigned(Buffer.from(JSON.stringify(readJson(body)) ?? ''), ...rest),
  ),
  ...also(
    'takes an absent previous secret for an empty one',
    'refuses a signature made with an empty secret',
    (body, signature) => isSigned(body, signature, ''),
  ),
  ...also('keeps the line feed of its secret', 'refuses the signature of another secret', (body, signature, secret) =>
    isSigned(body, signature, `${secret}\n`),
  ),
];

// A receiver that takes something besides the right signature.
function also(
  name: string,
  caughtBy: string,
  isTaken: (body: Buffer, signature: string, secret: string) => boolean,
): readonly Flaw[] {
  const takes: Steps['isSigned'] = (body, signature, secret) =>
    isSigned(body, signature, secret) || (signature !== undefined && isTaken(body, signature, secret));
  return [{ name, steps: () => ({ isSigned: takes }), caughtBy: [caughtBy, ...keepsForgeries] }];
}

function hexDigestOf(body: Buffer, secret: string): Buffer {
  return Buffer.from(digestOf(body, secret).toString('hex'));
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
