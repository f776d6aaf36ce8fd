import http, { type Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { exchangeRaw } from './raw-exchange.ts';
import { signatureOf } from './samples.ts';

/** What a receiver answered. `status` is what its JSON says, if it says so. */
export type Answer = {
  readonly code: number;
  readonly status: string | undefined;
  readonly retryAfter: string | undefined;
};

/** How a delivery differs from what Argyle sends: signed, JSON, with a Content-Length, to the URL itself. */
export type DeliveryOptions = {
  /** Instead of the right one; null for none. */
  readonly signature?: string | null;
  /** Null for none. */
  readonly contentType?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  /** Appended to the URL's path. */
  readonly pathSuffix?: string;
  /** Sent in chunks, without a Content-Length. */
  readonly isChunked?: boolean;
};

/** A delivery whose body is sent piece by piece; `write` resolves once the piece is handed over. */
export type OpenDelivery = {
  readonly write: (piece: Uint8Array) => Promise<void>;
  readonly end: (piece: Uint8Array) => Promise<Answer>;
  /** Gives up what is not answered yet. */
  readonly cancel: () => void;
};

/** The receiver under test, from its sender's side. */
export type Receiver = ReturnType<typeof createReceiver>;

// As Argyle waits (two third-party sources, read 2026-11-24).
const answerLimitMs = 10_000;

/** Speaks to the receiver at a URL; `pauseMs` is how long a slow client waits between two pieces. */
export function createReceiver({ url, secret, pauseMs }: { url: URL; secret: string; pauseMs: number }) {
  const { request, Agent } = url.protocol === 'https:' ? https : http;
  const shared = new Agent({ keepAlive: true });
  const separate = new Agent();
  const start = (body: Uint8Array, options: DeliveryOptions, agent: Agent): OpenDelivery => {
    const { method = 'POST', pathSuffix = '' } = options;
    const to = new URL(url.pathname + pathSuffix, url);
    return openDelivery(request(to, { method, agent, headers: headersOf(body, secret, options) }));
  };

  return {
    secret,
    pauseMs,
    post: (content: string | Uint8Array, options: DeliveryOptions = {}): Promise<Answer> => {
      const body = typeof content === 'string' ? Buffer.from(content) : content;
      return start(body, options, shared).end(body);
    },
    /** Starts a delivery over a connection of its own. */
    open: (body: Uint8Array): OpenDelivery => start(body, {}, separate),
    /** Closes the connections that are kept open. */
    close: () => shared.destroy(),
    /** Resolves once the receiver has answered a new connection: then it has seen what was sent before, too. */
    roundTrip: async (): Promise<void> => {
      await start(Buffer.alloc(0), { signature: null }, separate).end(Buffer.alloc(0));
    },
    /** Sends bodies over one connection without waiting for answers; gives the status codes in order of arrival. */
    pipeline: (deliveries: readonly { readonly body: string; readonly signature: string }[]) => {
      const requests = deliveries.map(({ body, signature }, index) => {
        const connection = index === deliveries.length - 1 ? 'close' : 'keep-alive';
        return rawRequest(
          url,
          body,
          headersOf(Buffer.from(body), secret, { signature, headers: { Connection: connection } }),
        );
      });
      return exchangeRaw(url, requests.join(''), { hangsUp: false, limitMs: answerLimitMs });
    },
    /** Announces more than the body and hangs up after it; gives the status codes, if any. */
    breakOff: (body: string) => {
      const length = String(Buffer.byteLength(body) + 1);
      const headers = { ...headersOf(Buffer.from(body), secret, {}), 'Content-Length': length };
      return exchangeRaw(url, rawRequest(url, body, headers), { hangsUp: true, limitMs: answerLimitMs });
    },
  };
}

function headersOf(body: Uint8Array, secret: string, options: DeliveryOptions): Record<string, string> {
  const { signature = signatureOf(body, secret), contentType = 'application/json', isChunked = false } = options;
  return {
    ...(isChunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(body.length) }),
    ...(contentType !== null && { 'Content-Type': contentType }),
    ...(signature !== null && { 'X-Argyle-Signature': signature }),
    ...options.headers,
  };
}

function openDelivery(request: ClientRequest): OpenDelivery {
  const answer = new Promise<Answer>((resolve, reject) => {
    request.on('response', (response) => readAnswer(response).then(resolve, reject)).on('error', reject);
  });
  // Whoever writes learns of it; an unwatched rejection would end the process.
  answer.catch(() => undefined);
  return {
    write: (piece) =>
      Promise.race([
        new Promise<void>((resolve, reject) => {
          request.write(piece, (error) => (error ? reject(error) : resolve()));
        }),
        answer.then(() => undefined),
      ]),
    end: async (piece) => {
      const silence = new Error(`no answer within ${answerLimitMs / 1_000} s`);
      const timer = setTimeout(() => request.destroy(silence), answerLimitMs);
      request.end(piece);
      return answer.finally(() => clearTimeout(timer));
    },
    cancel: () => {
      request.destroy();
    },
  };
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const body = await text(response);
  return {
    code: response.statusCode ?? 0,
    status: statusIn(body),
    retryAfter: response.headers['retry-after'],
  };
}

function statusIn(body: string): string | undefined {
  try {
    const { status } = JSON.parse(body) as { status?: unknown };
    return typeof status === 'string' ? status : undefined;
  } catch {
    return undefined;
  }
}

function rawRequest(url: URL, body: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ Host: url.host, ...headers }).map(([name, value]) => `${name}: ${value}`);
  return [`POST ${url.pathname} HTTP/1.1`, ...lines, '', body].join('\r\n');
}
