import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Engine } from './engine.ts';

// A connection that is closed just when somebody uses it again looks like an outage: longer than anybody here is idle.
const keepAliveTimeout = 120_000;

/** Lets a server listen on the loopback address; gives its URL. Throws with EADDRINUSE when the port is taken. */
export async function listen(server: Server, port: number): Promise<string> {
  server.keepAliveTimeout = keepAliveTimeout;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Ends a server and all its connections. */
export async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}

/** Starts an engine that runs in this thread, on a free port. */
export async function startSmallEngine(listener: RequestListener): Promise<Engine> {
  const server = createServer(listener);
  return { endpoint: await listen(server, 0), stop: () => close(server) };
}

/** Throws one sentence when the port is taken that a variable chooses. */
export async function expectFree(variable: string, port: number): Promise<void> {
  const server = createServer();
  await onPort(variable, port, listen(server, port));
  await close(server);
}

/** What is being started on a port that a variable chooses; throws one sentence when the port is taken. */
export async function onPort<T>(variable: string, port: number, starting: Promise<T>): Promise<T> {
  try {
    return await starting;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new Error(`Port ${port} is taken: choose another one with ${variable}=...`, { cause: error });
  }
}
