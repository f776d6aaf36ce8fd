import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen } from '../local/loopback.ts';
import { type ApiKey, answerApi, type WireAnswer } from './answer-api.ts';
import { detail } from './api.ts';
import { answerControl } from './control-api.ts';
import type { DeliveryOptions } from './deliveries.ts';
import { createWorld } from './world.ts';

/** Where the fake listens, whom it lets in, and how it delivers. Port 0 takes a free one. */
export type ServerOptions = DeliveryOptions & ApiKey & { readonly port: number };

/** Starts the fake in this process; gives the port. Throws an error with the code EADDRINUSE when it is taken. */
export async function serve(options: ServerOptions): Promise<number> {
  const server = createServer();
  const origin = await listen(server, options.port);
  const answer = createAnswers(origin, options);
  server.on('request', async (request, response) => {
    const given = await answer(request).catch((error: unknown): WireAnswer => {
      options.onLog(`${request.method} ${request.url} failed: ${error}`);
      return { status: 500, body: detail(String(error)) };
    });
    write(response, given);
  });
  return Number(new URL(origin).port);
}

function createAnswers(origin: string, options: ServerOptions) {
  let world = createWorld(origin, options);
  return async (incoming: IncomingMessage): Promise<WireAnswer> => {
    const method = incoming.method ?? '';
    const url = new URL(incoming.url ?? '/', origin);
    const request = { method, url, body: readJson(await text(incoming)) };
    if (`${method} ${url.pathname}` === 'POST /control/reset') {
      world = createWorld(origin, options);
      return { status: 200, body: {} };
    }
    if (url.pathname.startsWith('/control/')) return answerControl(world, request);
    // A request counts where it came in, even if all is reset before it is answered.
    const { requests } = world;
    const given = await answerApi(world, options, request, incoming.headers.authorization);
    requests.end(method, url.pathname, given.status);
    options.onLog(`${method} ${url.pathname} ${given.status}`);
    return given;
  };
}

function readJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function write(response: ServerResponse, { status, headers, body, text: raw }: WireAnswer): void {
  if (status === 'disconnect') response.destroy();
  else if (raw !== undefined) response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(raw);
  else if (body === undefined) response.writeHead(status, headers).end();
  else response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
