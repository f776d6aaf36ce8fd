import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** An emulator of an AWS service on the loopback address. */
export type Emulator = { readonly endpoint: string; readonly stop: () => Promise<void> };

type EmulatorName = keyof typeof emulators;

// Longer than any client here stays idle: a server that closes a connection just as a client reuses it looks like an outage.
const keepAliveTimeout = 120_000;

const emulators = {
  sqs: async (port: number) => {
    const { buildApp } = await import('fauxqs');
    return buildApp({ logger: false }).listen({ host: '127.0.0.1', port });
  },
  dynamodb: async (port: number) => {
    const { default: dynalite } = await import('dynalite');
    return listen(dynalite({ createTableMs: 0 }), port);
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
  const server = createServer(listener);
  return { endpoint: await listen(server, 0), stop: () => close(server) };
}

/**
 * Starts a server on the loopback address and returns its URL. Port 0 takes a free port. Throws with the code EADDRINUSE
 * when the port is taken.
 */
export async function listen(server: Server, port: number): Promise<string> {
  server.keepAliveTimeout = keepAliveTimeout;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Stops a server and closes all of its connections. */
export async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}

/** Throws an error that names the variable when the port is taken. */
export async function ensureFreePort(variable: string, port: number): Promise<void> {
  const server = createServer();
  await onPort(variable, port, listen(server, port));
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

// This module is also the entry of an emulator's thread.
if (!isMainThread && workerData?.emulator) {
  const { emulator, port } = workerData as { emulator: EmulatorName; port: number };
  try {
    parentPort?.postMessage({ endpoint: await emulators[emulator](port) });
  } catch (error) {
    parentPort?.postMessage({ code: (error as NodeJS.ErrnoException).code ?? String(error) });
  }
}
