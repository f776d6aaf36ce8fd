import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A delivery. `headers` have the names and values that were sent. */
export type Received = {
  readonly method: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  readonly atMs: number;
  readonly isOnNewConnection: boolean;
};

/** A status, no answer, or a closed connection. */
type Reply = number | 'hang' | 'close';

/** Receives deliveries on the loopback address. */
export async function startReceiver(replyTo: (received: Received) => Reply | Promise<Reply> = () => 200) {
  const received: Received[] = [];
  const seen = new WeakSet<Socket>();
  const server = createServer(async (request, response) => {
    const { method = '', rawHeaders, socket } = request;
    const names = rawHeaders.filter((_, index) => index % 2 === 0);
    const headers = new Map(names.map((name, index) => [name, rawHeaders[2 * index + 1] ?? '']));
    const body = await buffer(request).catch(() => undefined);
    // The sender disconnected.
    if (!body) return;
    const isOnNewConnection = !seen.has(socket);
    seen.add(socket);
    const delivery = { method, headers, body: body.toString('utf8'), atMs: performance.now(), isOnNewConnection };
    received.push(delivery);
    const reply = await replyTo(delivery);
    if (reply === 'close') response.destroy();
    else if (reply !== 'hang') response.writeHead(reply).end('{}');
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
