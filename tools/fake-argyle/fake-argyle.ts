import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Options of the fake. Times default to Argyle's: one retry after 30 s, 10 s for an answer. */
export type FakeArgyleOptions = {
  /** 0 chooses a free port. */
  readonly port: number;
  readonly apiKeyId: string;
  readonly apiKeySecret: string;
  readonly retryDelayMs?: number;
  readonly answerLimitMs?: number;
  /** Maximum number of concurrent deliveries to one receiver. */
  readonly connections?: number;
  /** Receives one line per API request and per delivery: ids and codes, no secret and no body. */
  readonly onLog?: (line: string) => void;
};

/** A running fake Argyle. `url` is the base of its API, ending in /v2; `controlUrl` is the argument of createArgyleControl. */
export type FakeArgyle = {
  readonly url: string;
  readonly controlUrl: string;
  readonly stop: () => Promise<void>;
};

/**
 * Starts a simulation of Argyle's API and its webhooks in a child process, on the loopback address and in memory. It exits with
 * this process. Throws an error with the code EADDRINUSE when the port is taken.
 */
export async function startFakeArgyle({ onLog = () => undefined, ...options }: FakeArgyleOptions): Promise<FakeArgyle> {
  const child = fork(fileURLToPath(new URL('./server.ts', import.meta.url)), {
    execArgv: [],
    env: {},
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const exit = once(child, 'exit');
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', onLog);
  }
  const stop = async () => {
    child.kill('SIGKILL');
    await exit;
  };
  child.send({ retryDelayMs: 30_000, answerLimitMs: 10_000, connections: 32, ...options });
  const [answer] = (await Promise.race([once(child, 'message'), exit])) as [{ port: number } | { code: string }];
  if (typeof answer !== 'object' || answer === null || 'code' in answer) {
    await stop();
    const code = (answer as { code?: string } | null)?.code ?? 'its process exited';
    throw Object.assign(new Error(`The fake Argyle did not start on port ${options.port}: ${code}`), { code });
  }
  const origin = `http://127.0.0.1:${answer.port}`;
  return { url: `${origin}/v2`, controlUrl: `${origin}/control`, stop };
}
