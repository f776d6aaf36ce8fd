import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { type Agent, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** The ids of one document and of its owner. */
export type UploadIds = { readonly userUpload: string; readonly account: string; readonly user: string };

/** Result of one try: the HTTP status, or why there is none. */
export type TryResult = number | 'time-out' | 'no connection';

/** The body of a webhook in Argyle's format: pretty-printed, two spaces, LF, no final newline. `name` is the subscription's. */
export function webhookBody(event: string, name: string, { account, user, userUpload }: UploadIds): string {
  return JSON.stringify({ event, name, data: { account, user, user_upload: userUpload } }, undefined, 2);
}

/**
 * The headers of a webhook as Argyle sends it. The signature is the lower-case hex HMAC-SHA512 of the body. Without a
 * secret the signature is left out. That is a guess: what Argyle sends then is unknown.
 */
export function webhookHeaders(body: string, secret: string | null): Record<string, string> {
  return {
    'Content-Type': 'application/json',
    Accept: '*/*',
    'Accept-Encoding': 'gzip',
    'User-Agent': 'ReactorNetty/1.1.0',
    ...(secret !== null && { 'X-Argyle-Signature': createHmac('sha512', secret).update(body).digest('hex') }),
  };
}

/** Whether Argyle retries after this result (known from two third-party sources). */
export function isRetried(result: TryResult): boolean {
  return result === 'time-out' || [429, 500, 502, 503, 504].includes(Number(result));
}

/**
 * Posts a webhook once and does not follow redirects. The whole answer must arrive within `limitMs` after the agent has assigned
 * a connection to the request. Only http: is supported, because receivers on this machine have no certificate.
 */
export async function postWebhook(
  url: string,
  body: string,
  secret: string | null,
  { agent, limitMs }: { readonly agent: Agent; readonly limitMs: number },
): Promise<TryResult> {
  if (!url.startsWith('http:')) return 'no connection';
  const limit = new AbortController();
  const headers = { ...webhookHeaders(body, secret), 'Content-Length': Buffer.byteLength(body) };
  const outgoing = request(url, { method: 'POST', agent, headers, signal: limit.signal });
  let timer: NodeJS.Timeout | undefined;
  outgoing.once('socket', () => {
    timer = setTimeout(() => limit.abort(), limitMs);
  });
  try {
    outgoing.end(body);
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    await buffer(incoming);
    return incoming.statusCode ?? 0;
  } catch (error) {
    if (limit.signal.aborted) return 'time-out';
    // The receiver closed an idle connection before it read the request: try on a new connection.
    const isStale = outgoing.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
    return isStale ? postWebhook(url, body, secret, { agent, limitMs }) : 'no connection';
  } finally {
    clearTimeout(timer);
  }
}
