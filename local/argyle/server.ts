import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { type ApiAnswer, type ApiRequest, detail } from './api.ts';
import { answerControl } from './control-api.ts';
import type { DeliveryOptions } from './deliveries.ts';
import { createWorld, type World } from './world.ts';

/** Where the fake listens, whom it lets in, and how it delivers. Port 0 takes a free one. */
export type ServerOptions = DeliveryOptions & {
  readonly port: number;
  readonly apiKeyId: string;
  readonly apiKeySecret: string;
};

type HttpAnswer = Omit<ApiAnswer, 'status'> & {
  readonly status: number | 'disconnect';
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly text?: string;
};

const host = '127.0.0.1';

/** Starts the fake in this process; gives the port. Throws an error with the code EADDRINUSE when it is taken. */
export async function serve(options: ServerOptions): Promise<number> {
  const server: Server = createServer((request, response) => void answer(request, response));
  server.listen(options.port, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = `http://${host}:${port}`;
  let world = createWorld(origin, options);

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const method = incoming.method ?? '';
    const url = new URL(incoming.url ?? '/', origin);
    const body = readJson(await text(incoming).catch(() => ''));
    const request = { method, url, body };
    if (!url.pathname.startsWith('/control/')) {
      const given = await answerApi(world, request, isAllowed(incoming.headers.authorization, options));
      world.requests.end(method, url.pathname, given.status);
      options.onLog(`${method} ${url.pathname} ${given.status}`);
      return write(response, given);
    }
    if (`${method} ${url.pathname}` === 'POST /control/reset') {
      world = createWorld(origin, options);
      return write(response, { status: 200, body: {} });
    }
    return write(response, await answerControl(world, request));
  };
  return port;
}

async function answerApi(world: World, request: ApiRequest, isAllowed: boolean): Promise<HttpAnswer> {
  const { rateLimit } = world.faults.get();
  const inThisSecond = world.requests.begin();
  const failure = world.faults.failureOf(request.method, request.url.pathname);
  if (failure?.isCarriedOut) world.api(request);
  if (failure?.slowMs) await wait(failure.slowMs);
  if (failure?.status) {
    const { status, retryAfter, body } = failure;
    return {
      status,
      ...retryHeader(retryAfter),
      ...(body === undefined ? { body: detail('A fault.') } : { text: body }),
    };
  }
  if (!isAllowed) return { status: 401, body: detail('Invalid credentials.') };
  if (rateLimit && inThisSecond > rateLimit.perSecond) {
    return { status: 429, body: detail('Too many requests.'), ...retryHeader(rateLimit.retryAfter) };
  }
  return world.api(request);
}

function retryHeader(retryAfter: number | string | undefined) {
  return retryAfter === undefined ? {} : { headers: { 'retry-after': retryAfter } };
}

function isAllowed(authorization: string | undefined, { apiKeyId, apiKeySecret }: ServerOptions): boolean {
  return authorization === `Basic ${Buffer.from(`${apiKeyId}:${apiKeySecret}`).toString('base64')}`;
}

function readJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function write(response: ServerResponse, { status, headers, body, text: raw }: HttpAnswer): void {
  if (status === 'disconnect') response.destroy();
  else if (raw !== undefined) response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(raw);
  else if (body === undefined) response.writeHead(status, headers).end();
  else response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
