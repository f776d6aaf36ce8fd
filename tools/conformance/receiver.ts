import { once } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { signatureOf } from './samples.ts';

/** A receiver's answer; `status` is the one in its JSON body. */
export type Answer = {
  readonly code: number;
  readonly status: string | undefined;
  readonly retryAfter: string | undefined;
};

/** A webhook. Without options it is sent as Argyle sends it: signed, JSON, with a Content-Length, to the URL itself. */
export type Delivery = {
  readonly body: string | Uint8Array;
  /** Null for none. */
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

/** A client of the receiver under test. */
export type Receiver = ReturnType<typeof createReceiver>;

// Argyle's time limit (two third-party sources, read 2026-11-24).
const answerLimitMs = 10_000;

/** Creates a client of the receiver at a URL. `pauseMs` is how long a slow sender waits between two pieces. */
export function createReceiver({ url, secret, pauseMs }: { url: URL; secret: string; pauseMs: number }) {
  const { request, Agent } = url.protocol === 'https:' ? https : http;
  const shared = new Agent({ keepAlive: true });
  const separate = new Agent();
  const open = (delivery: Delivery, agent = separate) => {
    const { method = 'POST', pathSuffix = '' } = delivery;
    const to = new URL(url.pathname + pathSuffix, url);
    return openDelivery(request(to, { method, agent, headers: headersOf(delivery, secret) }));
  };

  return {
    secret,
    pauseMs,
    post: (delivery: Delivery): Promise<Answer> => open(delivery, shared).end(Buffer.from(delivery.body)),
    /** Starts a delivery over a connection of its own. */
    open: (body: Uint8Array) => open({ body }),
    /** Closes the idle connections. */
    close: () => shared.destroy(),
    /** Resolves once the receiver has answered a new connection. It has then also seen everything sent before. */
    roundTrip: async (): Promise<void> => {
      await open({ body: '', signature: null }).end(Buffer.alloc(0));
    },
    /** Sends deliveries over one connection without waiting for answers, and returns the status codes in order. */
    pipeline: (deliveries: readonly Delivery[]) => {
      const requests = deliveries.map((delivery, index) => {
        const Connection = index === deliveries.length - 1 ? 'close' : 'keep-alive';
        return rawRequest(url, delivery.body, { ...headersOf(delivery, secret), Connection });
      });
      return exchangeRaw(url, requests.join(''), false);
    },
    /** Announces one byte more than the body, closes the connection after the body, and returns the status codes. */
    breakOff: (body: string) => {
      const headers = { ...headersOf({ body }, secret), 'Content-Length': String(Buffer.byteLength(body) + 1) };
      return exchangeRaw(url, rawRequest(url, body, headers), true);
    },
  };
}

function headersOf(delivery: Delivery, secret: string): Record<string, string> {
  const { body, signature = signatureOf(body, secret), contentType = 'application/json', isChunked } = delivery;
  return {
    ...(isChunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(Buffer.byteLength(body)) }),
    ...(contentType !== null && { 'Content-Type': contentType }),
    ...(signature !== null && { 'X-Argyle-Signature': signature }),
    ...delivery.headers,
  };
}

// A delivery whose body is sent piece by piece. `write` resolves once the piece is sent.
function openDelivery(request: ClientRequest) {
  const answer = new Promise<Answer>((resolve, reject) => {
    request.on('response', (response) => readAnswer(response).then(resolve, reject)).on('error', reject);
  });
  // `write` and `end` report the error. Without this handler, an unused answer would end the process.
  answer.catch(() => undefined);
  return {
    write: (piece: Uint8Array) =>
      new Promise<void>((resolve, reject) => {
        answer.then(() => resolve(), reject);
        request.write(piece, (error) => (error ? reject(error) : resolve()));
      }),
    end: async (piece: Uint8Array) => {
      const timer = setTimeout(() => request.destroy(timeOut()), answerLimitMs);
      request.end(piece);
      return answer.finally(() => clearTimeout(timer));
    },
    cancel: () => request.destroy(),
  };
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const body = await text(response);
  return { code: response.statusCode ?? 0, status: statusIn(body), retryAfter: response.headers['retry-after'] };
}

function statusIn(body: string): string | undefined {
  try {
    const { status } = JSON.parse(body) as { status?: unknown };
    return typeof status === 'string' ? status : undefined;
  } catch {
    return undefined;
  }
}

function rawRequest(url: URL, body: string | Uint8Array, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ Host: url.host, ...headers }).map(([name, value]) => `${name}: ${value}`);
  return [`POST ${url.pathname} HTTP/1.1`, ...lines, '', body].join('\r\n');
}

// Sends bytes over a connection of its own and returns the status codes of all answers until the receiver closes it. HTTP
// libraries can send neither several requests at once nor a request that ends early (`hangsUp`).
async function exchangeRaw(url: URL, bytes: string, hangsUp: boolean): Promise<readonly number[]> {
  const host = url.hostname;
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const socket = url.protocol === 'https:' ? connectTls({ host, port, servername: host }) : connect({ host, port });
  socket.setEncoding('utf8').setTimeout(answerLimitMs, () => socket.destroy(timeOut()));
  let received = '';
  socket.on('data', (piece: string) => {
    received += piece;
  });
  if (hangsUp) socket.end(bytes);
  else socket.write(bytes);
  await once(socket, 'close');
  return [...received.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map(([, code]) => Number(code));
}

function timeOut(): Error {
  return new Error(`no answer within ${answerLimitMs / 1_000} s`);
}
