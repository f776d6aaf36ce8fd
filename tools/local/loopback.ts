import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** An emulator of an AWS service on the loopback address. */
export type Emulator = { readonly endpoint: string; readonly stop: () => Promise<void> };

/** A server that listens on the loopback address, with its URL. */
export type Listening = { readonly server: Server; readonly endpoint: string };

type EmulatorName = keyof typeof emulators;

// Longer than any client here stays idle: a server that closes a connection just as a client reuses it looks like an outage.
const keepAliveTimeout = 120_000;

const ownHosts = ['127.0.0.1', 'localhost', '[::1]'];

/** Creates each emulator as a server that does not listen yet. */
const emulators = {
  sqs: async (): Promise<Server> => {
    const { buildApp } = await import('fauxqs');
    const app = buildApp({ logger: false });
    await app.ready();
    return app.server;
  },
  dynamodb: async (): Promise<Server> => {
    const { createDynalite } = await import('./create-dynalite.ts');
    return createDynalite();
  },
};

/**
 * Starts the SQS or the DynamoDB emulator in its own thread, so that it can use another core. Port 0 takes a free port.
 * Throws with the code EADDRINUSE when the port is taken.
 */
export async function startEmulator(name: EmulatorName, port: number): Promise<Emulator> {
  const thread = new Worker(new URL(import.meta.url), { workerData: { emulator: name, port }, name: `aws-${name}` });
  const [answer] = (await once(thread, 'message')) as [{ endpoint: string } | { code: string }];
  if ('code' in answer) throw Object.assign(new Error(`The ${name} emulator did not start: ${answer.code}`), answer);
  return {
    endpoint: answer.endpoint,
    stop: async () => {
      await thread.terminate();
    },
  };
}

/** Starts an emulator that is a request listener in this thread, on a free port. */
export async function startHttpEmulator(listener: RequestListener): Promise<Emulator> {
  const { server, endpoint } = await listen(listener, 0);
  return { endpoint, stop: () => close(server) };
}

/**
 * Starts a server on the loopback address. Port 0 takes a free port. Throws with the code EADDRINUSE when the port is
 * taken. Requests that a web page of another server may have sent are answered 403 and do not reach the listener.
 * @param isTunnelled returns whether a request may arrive through a tunnel, and therefore under any host name
 */
export async function listen(
  listener: RequestListener,
  port: number,
  isTunnelled: (request: IncomingMessage) => boolean = () => false,
): Promise<Listening> {
  const server = createServer((request, response) => {
    if (!isOwnRequest(request, isTunnelled)) return refuse(response);
    // Without an Origin, an emulator adds no CORS headers to its answer.
    delete request.headers.origin;
    listener(request, response);
  });
  server.keepAliveTimeout = keepAliveTimeout;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { server, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Stops a server and closes all of its connections. */
export async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}

/** Throws an error that names the variable when the port is taken. */
export async function ensureFreePort(variable: string, port: number): Promise<void> {
  const { server } = await onPort(
    variable,
    port,
    listen(() => undefined, port),
  );
  await close(server);
}

/** Awaits `starting`; replaces EADDRINUSE by an error that names the port and the variable that sets it. */
export async function onPort<T>(variable: string, port: number, starting: Promise<T>): Promise<T> {
  try {
    return await starting;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new Error(`Port ${port} is taken: choose another one with ${variable}=...`, { cause: error });
  }
}

/**
 * Whether a request comes from a program or from a page of the same server. Servers here listen on the loopback address
 * only, but every page in a browser on this machine can send requests there. The Host header reveals a foreign host name
 * that resolves to this machine (DNS rebinding). The Origin header, which browsers send with every POST and with every
 * preflight, reveals a form or script of another origin.
 */
function isOwnRequest(request: IncomingMessage, isTunnelled: (request: IncomingMessage) => boolean): boolean {
  const { host = '', origin } = request.headers;
  const isOwnHost = ownHosts.includes(host.replace(/:\d+$/, '').toLowerCase());
  return origin === undefined ? isOwnHost || isTunnelled(request) : isOwnHost && origin === `http://${host}`;
}

function refuse(response: ServerResponse): void {
  const message = 'This server answers programs on this machine and its own pages, but no other web page.';
  response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
}

// This module is also the entry of an emulator's thread.
if (!isMainThread && workerData?.emulator) {
  const { emulator, port } = workerData as { emulator: EmulatorName; port: number };
  try {
    const inner = await emulators[emulator]();
    const { endpoint } = await listen((request, response) => inner.emit('request', request, response), port);
    parentPort?.postMessage({ endpoint });
  } catch (error) {
    parentPort?.postMessage({ code: (error as NodeJS.ErrnoException).code ?? String(error) });
  }
}
