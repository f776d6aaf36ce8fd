import type { IncomingMessage } from 'node:http';

const ownHosts = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Whether a request may be the console's own. The console listens on the loopback address only, but any page that a
 * browser on this machine shows can send requests there: under a name of its own that it lets point here (DNS rebinding:
 * the Host header tells), or as a form or script of another origin (the Origin header tells). What sends no Origin is no
 * such page: browsers send it with every POST.
 */
export function isOwnRequest({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const { host = '', origin } = headers;
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return ownHosts.includes(name) && (origin === undefined || origin === `http://${host}`);
}
