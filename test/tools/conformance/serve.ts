import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createReceiver } from '../../../tools/conformance/receiver.ts';
import { codes, type Status, type Steps } from './reference.ts';
import { createState } from './state.ts';

// API Gateway's own limit.
const payloadLimitBytes = 10 * 1024 * 1024;

/** Serves a receiver with these steps on a free loopback port. */
export async function serve(steps: Steps) {
  const secret = 'secret-of-the-conformance-test';
  const { state, observer } = createState(secret, (of, batch) => steps.processBatch(steps, of, batch));

  const statusOf = async (request: IncomingMessage): Promise<Status> => {
    const [path = ''] = (request.url ?? '').split('?');
    if (!steps.isRouted(request.method ?? '', path)) return 'not_found';
    const body = await steps.readBody(request);
    if (body.length > payloadLimitBytes) return 'too_large';
    const delivery = { signature: steps.readSignature(request), body };
    const status = await steps.receive(steps, state, delivery);
    state.log.push(steps.logLine(status, delivery));
    return status;
  };
  const server = createServer(async (request, response) => {
    try {
      const status = await statusOf(request);
      response.writeHead(codes[status], { ...(status === 'unavailable' && { 'retry-after': '30' }) });
      response.end(JSON.stringify({ status }));
    } catch {
      response.writeHead(500).end('Internal Server Error');
    }
  });
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
