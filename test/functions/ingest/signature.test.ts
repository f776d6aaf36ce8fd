import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isSignedBy, readSignature, signatureHeader } from '../../../functions/ingest/signature.ts';

type Vector = { description: string; secret: string; body?: string; bodyBase64?: string; signature: string };

// Each signature was computed by OpenSSL over the body's bytes: openssl dgst -sha512 -hmac "$secret" < body
const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL('../../fixtures/signature-vectors.json', import.meta.url), 'utf8'),
);

const body = Buffer.from('{\n  "event": "user_uploads.added"\n}');
// openssl dgst -sha512 -hmac first-secret, and -hmac "", over `body`
const signedByFirst = digest(
  '3d866ddf9d037151d513d09d3b410f6e0a062ced64d8e062a3f2239604685abc9bdf62e0c4a651db22b68c3fc43fcd44bff0d70ca8fb850995d81f01f9ff5d87',
);
const signedByEmptySecret = digest(
  '7a8d7dc37d41e5c3bdaeaa7f1fd4a5e8bc371032d49f857f80ea56d93b792efc4f4205f258a51c4d3baf8bb314bdf72d0e1287bba9b18b30e9a6b75168ab5d9b',
);

describe('isSignedBy', () => {
  it.each(vectors)('accepts a signature of OpenSSL: $description', ({ secret, signature, ...vector }) => {
    expect(isSignedBy([secret], bodyOf(vector), digest(signature))).toBe(true);
  });

  it.each(vectors)('rejects it when one bit of the body differs: $description', ({ secret, signature, ...vector }) => {
    const tampered = bodyOf(vector);
    tampered[tampered.length - 1] = (tampered.at(-1) ?? 0) ^ 1;
    expect(isSignedBy([secret], tampered, digest(signature))).toBe(false);
  });

  it.each(vectors)('rejects it under another secret: $description', ({ secret, signature, ...vector }) => {
    expect(isSignedBy([`${secret}!`], bodyOf(vector), digest(signature))).toBe(false);
  });

  it('rejects a body that was parsed and serialised again', () => {
    expect(isSignedBy(['first-secret'], body, signedByFirst)).toBe(true);
    const serialised = Buffer.from(JSON.stringify(JSON.parse(body.toString())));
    expect(isSignedBy(['first-secret'], serialised, signedByFirst)).toBe(false);
  });

  it.each([
    { secrets: ['first-secret', 'second-secret'], isSigned: true },
    { secrets: ['second-secret', 'first-secret'], isSigned: true },
    { secrets: ['second-secret', 'third-secret'], isSigned: false },
    { secrets: ['', 'first-secret'], isSigned: true },
    { secrets: [], isSigned: false },
  ])('accepts a signature of any of the secrets $secrets: $isSigned', ({ secrets, isSigned }) => {
    expect(isSignedBy(secrets, body, signedByFirst)).toBe(isSigned);
  });

  it('rejects every signature of an empty secret', () => {
    expect(isSignedBy([''], body, signedByEmptySecret)).toBe(false);
    expect(isSignedBy(['', 'first-secret'], body, signedByEmptySecret)).toBe(false);
  });

  it.each([0, 1, 63, 65, 128])('rejects a signature of %i bytes instead of 64', (length) => {
    const signature = Buffer.concat([signedByFirst, signedByFirst]).subarray(0, length);
    expect(isSignedBy(['first-secret'], body, signature)).toBe(false);
  });
});

describe('readSignature', () => {
  const hex = signedByFirst.toString('hex');

  it('returns the 64 bytes of a hex digest in either letter case', () => {
    expect(readSignature(hex)).toEqual(signedByFirst);
    expect(readSignature(hex.toUpperCase())).toEqual(signedByFirst);
  });

  it.each([
    ['a missing header', undefined],
    ['an empty one', ''],
    ['one digit too few', hex.slice(1)],
    ['one byte too few', hex.slice(2)],
    ['one digit too many', `${hex}0`],
    ['one byte too many', `${hex}00`],
    ['a digit that is not hex', `g${hex.slice(1)}`],
    ['a prefix', `sha512=${hex}`],
    ['a space before it', ` ${hex}`],
    ['a line break after it', `${hex}\n`],
    ['base64', signedByFirst.toString('base64')],
    ['two signatures in one header', `${hex},${hex}`],
  ])('rejects %s', (_, header) => {
    expect(readSignature(header)).toBeUndefined();
  });

  it('uses the lower-case header name of API Gateway', () => {
    expect(signatureHeader).toBe('x-argyle-signature');
  });
});

function bodyOf({ body, bodyBase64 }: Pick<Vector, 'body' | 'bodyBase64'>): Buffer {
  return body === undefined ? Buffer.from(bodyBase64 ?? '', 'base64') : Buffer.from(body, 'utf8');
}

function digest(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}
