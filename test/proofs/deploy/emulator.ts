import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, type AgentOptions, get } from 'node:https';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createTemporaryFolder } from '../../../tools/local/temporary-folder.ts';

/** The running emulator. */
export type Emulator = Awaited<ReturnType<typeof startEmulator>>;

type Health = { readonly auth: string; readonly version: string };

/**
 * Starts MiniStack on a free port of the loopback address, with TLS and IAM (AUTH): code that is not ours then enforces the
 * roles of the stack and the policies that deny plain HTTP.
 */
export async function startEmulator(python: string, attempt = 1) {
  const { directory: folder, remove } = createTemporaryFolder('argyle-emulator-');
  const port = await freePort();
  const endpoint = `https://127.0.0.1:${port}`;
  const certificate = join(folder, 'ministack-tls', 'server.crt');
  const child = launch(python, folder, port, certificate);
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  const kill = () => child.kill();
  process.once('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    if (child.kill()) await once(child, 'exit');
    remove();
  };
  try {
    const health = await untilHealthy(endpoint, certificate, child);
    return { endpoint, certificate, connection: connectionOptions(certificate), ...health, log: () => printed, stop };
  } catch (error) {
    await stop();
    // Another program may take the port before MiniStack does.
    if (/address already in use/i.test(printed) && attempt < 5) return startEmulator(python, attempt + 1);
    throw new Error(`MiniStack did not start:\n${printed}`, { cause: error });
  }
}

function launch(python: string, folder: string, port: number, certificate: string): ChildProcess {
  // As MiniStack's container starts it. Its `ministack` command would also listen on port 443.
  const server = ['-m', 'hypercorn', 'ministack.app:app', '-c', 'python:ministack.core.hypercorn_conf'];
  return spawn(python, [...server, '--bind', `127.0.0.1:${port}`, '--keep-alive', '75'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      // MiniStack runs the functions with the first `node` of the PATH.
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      TMPDIR: folder,
      HOME: folder,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      IOT_MTLS_ENABLED: '0',
      USE_SSL: '1',
      AUTH: 'true',
      NODE_NO_WARNINGS: '1',
      // The functions must trust the emulator's certificate.
      NODE_EXTRA_CA_CERTS: certificate,
    },
  });
}

async function untilHealthy(endpoint: string, certificate: string, child: ChildProcess): Promise<Health> {
  const deadlineMs = Date.now() + 60_000;
  while (Date.now() < deadlineMs && child.exitCode === null) {
    try {
      const agent = new Agent(connectionOptions(certificate));
      const [response] = await once(get(`${endpoint}/_ministack/health`, { agent }), 'response');
      return JSON.parse((await response.toArray()).join('')) as Health;
    } catch {
      await wait(200);
    }
  }
  throw new Error(child.exitCode === null ? 'It did not answer within 60 s.' : `It exited with ${child.exitCode}.`);
}

// The certificate is for localhost. The host names that MiniStack creates (<api>.execute-api.localhost) must resolve to this
// machine.
function connectionOptions(certificate: string): AgentOptions {
  return {
    ca: readFileSync(certificate),
    servername: 'localhost',
    lookup: (_, { all }, callback) =>
      all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4),
  };
}

// MiniStack must know its port before it listens: it is part of the URLs that it returns.
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
