import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** An embedded engine that listens on the loopback address. */
export type Engine = {
  readonly endpoint: string;
  readonly stop: () => Promise<void>;
};

type EngineName = keyof typeof engines;

const host = '127.0.0.1';

const engines = {
  sqs: async (port: number) => {
    const { buildApp } = await import('fauxqs');
    return buildApp({ logger: false }).listen({ host, port });
  },
  dynamodb: async (port: number) => {
    const { default: dynalite } = await import('dynalite');
    const server = dynalite({ createTableMs: 0 }).listen(port, host);
    await once(server, 'listening');
    return `http://${host}:${(server.address() as AddressInfo).port}`;
  },
};

/**
 * Starts an engine in a thread of its own, so that both cores work. Port 0 takes a free one.
 * Throws an error with the code EADDRINUSE when the port is taken.
 */
export async function startEngine(name: EngineName, port: number): Promise<Engine> {
  const thread = new Worker(new URL(import.meta.url), { workerData: { engine: name, port }, name: `engine-${name}` });
  const [answer] = (await once(thread, 'message')) as [{ endpoint: string } | { code: string }];
  if ('code' in answer) throw Object.assign(new Error(`The ${name} engine did not start: ${answer.code}`), answer);
  return {
    endpoint: answer.endpoint,
    stop: async () => {
      await thread.terminate();
    },
  };
}

// The thread's own side.
if (!isMainThread && workerData?.engine) {
  const { engine, port } = workerData as { engine: EngineName; port: number };
  try {
    parentPort?.postMessage({ endpoint: await engines[engine](port) });
  } catch (error) {
    parentPort?.postMessage({ code: (error as NodeJS.ErrnoException).code ?? String(error) });
  }
}
