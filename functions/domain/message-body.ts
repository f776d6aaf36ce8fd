/** A webhook body as SQS carries it: verbatim, or in the encoding that `encoding` names. */
export type MessageBody = {
  readonly text: string;
  readonly encoding?: 'base64';
};

// What SQS takes without refusing or replacing it. Its documents disagree about characters above U+FFFF, so those
// count as outside: without the `u` flag their surrogates match nothing here.
const verbatim = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD]+$/;

// SQS refuses an empty body. A lone pad is base64 of nothing.
const emptyInBase64 = '=';

/** Makes raw body bytes fit for SQS. `decodeBody` gives the same bytes back. */
export function encodeBody(body: Uint8Array): MessageBody {
  const text = decodeUtf8(body);
  if (text !== undefined && verbatim.test(text)) return { text };
  return { text: Buffer.from(body).toString('base64') || emptyInBase64, encoding: 'base64' };
}

/** The raw bytes that `encodeBody` was given, or undefined when the encoding is unknown. */
export function decodeBody(text: string, encoding: string | undefined): Uint8Array | undefined {
  if (encoding === undefined) return Buffer.from(text);
  return encoding === 'base64' ? Buffer.from(text, 'base64') : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(body: Uint8Array): string | undefined {
  try {
    return utf8.decode(body);
  } catch {
    // Not UTF-8: there is no text.
  }
}
