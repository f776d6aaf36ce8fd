import { createHmac, timingSafeEqual } from 'node:crypto';

/** The header that carries the signature, in lower case; senders may use any. */
export const signatureHeader = 'x-argyle-signature';

/**
 * Reads the signature header: hex HMAC-SHA512, in either letter case, without a prefix.
 * Gives the 64 bytes of the digest, or undefined when there is none or it is not of that form.
 */
export function readSignature(header: string | undefined): Buffer | undefined {
  if (!header?.match(/^[0-9a-f]{128}$/i)) return undefined;
  return Buffer.from(header, 'hex');
}

/**
 * Whether `signature` is the HMAC-SHA512 of exactly these body bytes under one of the secrets (UTF-8), compared in
 * constant time. An empty secret signs nothing: anyone could use it.
 * Source: Argyle's webhook documentation and recorded deliveries, read 2026-11-24.
 */
export function isSignedBy(secrets: readonly string[], body: Uint8Array, signature: Uint8Array): boolean {
  return secrets.some((secret) => {
    if (secret === '') return false;
    const expected = createHmac('sha512', secret).update(body).digest();
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  });
}
