import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createReceiver } from '../../../tools/conformance/receiver.ts';
import type { Steps } from './reference.ts';
import { createWorld } from './world.ts';

// API Gateway's own.
const payloadLimitBytes = 10 * 1024 * 1024;

/** Serves a receiver made of these steps on a free loopback port. */
export async function serve(steps: Steps, maxConnections?: number) {
  const secret = 'secret-of-the-conformance-test';
  const { world, observer } = createWorld(secret, (of, batch) => steps.workOn(steps, of, batch));

  const respond = async (request: IncomingMessage) => {
    const [path = ''] = (request.url ?? '').split('?');
    if (!steps.takes(request.method ?? '', path)) return { status: 'not_found', ...steps.answer('not_found') } as const;
    const raw = await steps.readBody(request);
    if (raw.length > payloadLimitBytes) return { status: 'too_large', ...steps.answer('too_large') } as const;
    const { text, isBase64 } = handOver(request, raw);
    const delivery = { signature: steps.readSignature(request), body: steps.decode(text, isBase64) };
    const status = await steps.receive(steps, world, delivery);
    world.log.push(steps.logLine(status, delivery));
    return { status, ...steps.answer(status) };
  };
  const server = createServer(async (request, response) => {
    try {
      const { status, code, headers } = await respond(request);
      response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ status }));
    } catch {
      response.writeHead(500).end('Internal Server Error');
    }
  });
  if (maxConnections !== undefined) server.maxConnections = maxConnections;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`);
  const receiver = createReceiver({ url, secret, pauseMs: 0 });
  return {
    url,
    secret,
    receiver,
    observer,
    stop: async () => {
      receiver.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

// As API Gateway hands a body to a function: text as it is, everything else in base64.
function handOver({ headers }: IncomingMessage, body: Buffer): { text: string; isBase64: boolean } {
  const isText = /^(text\/|application\/(json|xml))/.test(headers['content-type'] ?? '') && isUtf8(body);
  return { text: body.toString(isText ? 'utf8' : 'base64'), isBase64: !isText };
}
