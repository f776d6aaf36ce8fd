import { Agent, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';

/** The part of fetch's options that local requests need. */
export type FetchOptions = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
};

// With NODE_USE_ENV_PROXY, fetch and Node's default agent send requests to the proxy of this machine, which cannot reach a
// loopback address. An agent of our own does not.
const agent = new Agent({ keepAlive: true });

/** Works as `fetch`, but reaches loopback addresses without a proxy and follows no redirect from them. */
export async function fetchWithoutProxy(url: string | URL, options: FetchOptions = {}): Promise<Response> {
  const target = new URL(url);
  const isLoopback = target.protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(target.hostname);
  if (!isLoopback) return fetch(target, options);
  const incoming = await exchange(target, options);
  const { statusCode: status = 0, statusMessage: statusText = '' } = incoming;
  const hasBody = ![204, 205, 304].includes(status);
  if (!hasBody) incoming.resume();
  const body = hasBody ? (Readable.toWeb(incoming) as ReadableStream) : null;
  return new Response(body, { status, statusText });
}

function exchange(url: URL, { body, method = 'GET', headers, signal }: FetchOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method, ...(headers && { headers }), ...(signal && { signal }) }, resolve);
    outgoing.on('error', reject).end(body);
  });
}
