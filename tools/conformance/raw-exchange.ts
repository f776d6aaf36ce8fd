import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

/**
 * Sends bytes over a connection of its own and gives the status codes of all answers until the receiver closes it.
 * For what HTTP libraries do not do: several requests at once, and a request that ends early (`hangsUp`).
 */
export async function exchangeRaw(
  url: URL,
  bytes: string,
  { hangsUp, limitMs }: { readonly hangsUp: boolean; readonly limitMs: number },
): Promise<readonly number[]> {
  const host = url.hostname;
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const socket = url.protocol === 'https:' ? connectTls({ host, port, servername: host }) : connect({ host, port });
  socket
    .setEncoding('utf8')
    .setTimeout(limitMs, () => socket.destroy(new Error(`no answer within ${limitMs / 1_000} s`)));
  let received = '';
  socket.on('data', (piece: string) => {
    received += piece;
  });
  if (hangsUp) socket.end(bytes);
  else socket.write(bytes);
  await once(socket, 'close');
  return [...received.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map(([, code]) => Number(code));
}
