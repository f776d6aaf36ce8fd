import { createHmac, timingSafeEqual } from 'node:crypto';

/** The name of the signature header, in lower case. Senders may use any letter case. */
export const signatureHeader = 'x-argyle-signature';

/**
 * Reads the signature header: a hex HMAC-SHA512 in either letter case, without a prefix. Returns the 64 bytes of the digest, or
 * undefined when the header is absent or is not such a digest.
 */
export function readSignature(header: string | undefined): Buffer | undefined {
  if (!header?.match(/^[0-9a-f]{128}$/i)) return undefined;
  return Buffer.from(header, 'hex');
}

/**
 * Whether `signature` is the HMAC-SHA512 of exactly these body bytes under one of the secrets (UTF-8). Compares in constant
 * time. An empty secret is never valid: anyone could sign with it.
 * Source: Argyle's webhook documentation and recorded deliveries, read 2026-11-24.
 */
export function isSignedBy(secrets: readonly string[], body: Uint8Array, signature: Uint8Array): boolean {
  return secrets.some((secret) => {
    if (secret === '') return false;
    const expected = createHmac('sha512', secret).update(body).digest();
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  });
}
