import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, type AgentOptions, get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { MissingRequirement } from './python-environment.ts';

/** The running emulator. */
export type Emulator = Awaited<ReturnType<typeof startEmulator>>;

type Health = { readonly auth: string; readonly version: string };

/** The emulator makes its certificate with openssl. Throws a MissingRequirement. */
export async function findOpenssl(): Promise<void> {
  await promisify(execFile)('openssl', ['version']).catch(() => {
    throw new MissingRequirement('This needs openssl, and it was not found.');
  });
}

/**
 * Starts MiniStack on a free port of the loopback address. It speaks TLS and checks every call against IAM (AUTH):
 * the roles of the stack are judged by code that is not ours, and the policies that refuse plain HTTP hold.
 */
export async function startEmulator(python: string, attempt = 1) {
  const folder = await mkdtemp(join(tmpdir(), 'argyle-emulator-'));
  const port = await freePort();
  const endpoint = `https://127.0.0.1:${port}`;
  const certificate = join(folder, 'ministack-tls', 'server.crt');
  const child = launch(python, folder, port, certificate);
  const log = () => readFileSync(logFile(folder), 'utf8');
  const stop = async () => {
    process.off('exit', kill);
    if (child.kill()) await once(child, 'exit');
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const kill = () => child.kill();
  process.once('exit', kill);

  try {
    const health = await untilHealthy(endpoint, certificate, child);
    return { endpoint, certificate, connection: connectionOf(certificate), ...health, log, stop };
  } catch (error) {
    const said = log();
    await stop();
    // Another program may take the port before MiniStack does.
    if (/address already in use/i.test(said) && attempt < 5) return startEmulator(python, attempt + 1);
    throw new Error(`MiniStack did not start:\n${said}`, { cause: error });
  }
}

function launch(python: string, folder: string, port: number, certificate: string): ChildProcess {
  // As MiniStack's own container starts it: its `ministack` command would take port 443 as well.
  const server = ['-m', 'hypercorn', 'ministack.app:app', '-c', 'python:ministack.core.hypercorn_conf'];
  const log = openSync(logFile(folder), 'w');
  const child = spawn(python, [...server, '--bind', `127.0.0.1:${port}`, '--keep-alive', '75'], {
    cwd: folder,
    stdio: ['ignore', log, log],
    env: {
      // The functions run on the `node` that it finds first.
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      TMPDIR: folder,
      HOME: folder,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      IOT_MTLS_ENABLED: '0',
      USE_SSL: '1',
      AUTH: 'true',
      NODE_NO_WARNINGS: '1',
      // Not the machine's own choice: the functions have to trust the emulator.
      NODE_EXTRA_CA_CERTS: certificate,
    },
  });
  closeSync(log);
  return child;
}

async function untilHealthy(endpoint: string, certificate: string, child: ChildProcess): Promise<Health> {
  for (const deadlineMs = Date.now() + 60_000; Date.now() < deadlineMs && child.exitCode === null; await wait(200)) {
    const health = await readHealth(endpoint, certificate).catch(() => undefined);
    if (health) return health;
  }
  throw new Error(child.exitCode === null ? 'It did not answer within 60 s.' : `It ended with ${child.exitCode}.`);
}

async function readHealth(endpoint: string, certificate: string): Promise<Health> {
  const request = get(`${endpoint}/_ministack/health`, { agent: new Agent(connectionOf(certificate)) });
  const [response] = await once(request, 'response');
  return JSON.parse((await response.toArray()).join('')) as Health;
}

// Its certificate names localhost; the hosts that it makes up (<api>.execute-api.localhost) are this machine.
function connectionOf(certificate: string): AgentOptions {
  return {
    ca: readFileSync(certificate),
    servername: 'localhost',
    lookup: (_, { all }, callback) =>
      all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

function logFile(folder: string): string {
  return join(folder, 'emulator.log');
}
