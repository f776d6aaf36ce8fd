import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A delivery as it came in; `headers` with their names and values as they were sent. */
export type Received = {
  readonly method: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  readonly atMs: number;
  readonly isOnNewConnection: boolean;
};

type Reply = number | 'hang' | 'close';

/** Takes deliveries on the loopback address and answers them as told; `hang` never answers. */
export async function startReceiver(statusOf: (received: Received) => Reply | Promise<Reply> = () => 200) {
  const received: Received[] = [];
  const seen = new WeakSet<Socket>();
  const server = createServer(async (request, response) => {
    const headers = new Map<string, string>();
    for (let at = 0; at < request.rawHeaders.length; at += 2) {
      headers.set(request.rawHeaders[at] ?? '', request.rawHeaders[at + 1] ?? '');
    }
    const body = await buffer(request).catch(() => undefined);
    // The sender gave up.
    if (!body) return;
    const isOnNewConnection = !seen.has(request.socket);
    seen.add(request.socket);
    const { method = '' } = request;
    const delivery = { method, headers, body: body.toString('utf8'), atMs: performance.now(), isOnNewConnection };
    received.push(delivery);
    const status = await statusOf(delivery);
    if (status === 'close') response.destroy();
    else if (status !== 'hang') response.writeHead(status).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/argyle`,
    received,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
