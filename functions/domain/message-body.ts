/** A webhook body in a form that SQS accepts: verbatim, or in the encoding that `encoding` names. */
export type MessageBody = {
  readonly text: string;
  readonly encoding?: 'base64';
};

// The characters that SQS neither refuses nor replaces. AWS's documentation is contradictory about characters above U+FFFF, so
// they are encoded: without the `u` flag, this pattern does not match their surrogates.
const verbatim = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD]+$/;

// SQS refuses an empty body. A single padding character decodes to no bytes.
const emptyInBase64 = '=';

/** Encodes the bytes of a body for SQS, in base64 only if SQS would refuse or change them. `decodeBody` reverses it. */
export function encodeBody(body: Uint8Array): MessageBody {
  const text = decodeUtf8(body);
  if (text !== undefined && verbatim.test(text)) return { text };
  return { text: Buffer.from(body).toString('base64') || emptyInBase64, encoding: 'base64' };
}

/** Returns the bytes that were passed to `encodeBody`, or undefined for an unknown encoding. */
export function decodeBody(text: string, encoding: string | undefined): Uint8Array | undefined {
  if (encoding === undefined) return Buffer.from(text);
  return encoding === 'base64' ? Buffer.from(text, 'base64') : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes UTF-8 and keeps a byte order mark. Returns undefined for bytes that are not UTF-8. */
export function decodeUtf8(body: Uint8Array): string | undefined {
  try {
    return utf8.decode(body);
  } catch {
    // Not UTF-8.
  }
}
