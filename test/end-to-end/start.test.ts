import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, inject, test } from 'vitest';
import { startPipeline } from '../../tools/local/pipeline.ts';
import { until } from '../support/emulators/local-pipeline.ts';

test('npm start says ready with the webhook URL, npm run send posts to it, and SIGTERM to npm stops all of it, under load too', async () => {
  const [PORT, DYNAMODB_PORT, SQS_PORT] = await freePorts(3);
  const environment = { PORT, DYNAMODB_PORT, SQS_PORT, WEBHOOK_SECRET: 'from-the-environment' };

  const started = run('npm', ['start'], environment);
  const ready = await lineStarting(started, 'ready ');
  const sent = run('npm', ['run', 'send', '--', 'user_uploads.added', '--count', '3'], environment);
  const [sentCode] = await once(sent, 'exit');
  const words = ['tools/cli/uploads.ts', '--local', 'send', 'user_uploads.added', '--count', '100000'];
  const load = run(process.execPath, words, environment);
  await lineStarting(started, 'Ingest', 20, 'stderr');
  started.kill('SIGTERM');
  for (const port of [PORT, DYNAMODB_PORT, SQS_PORT]) await until(async () => !(await isListening(Number(port))));
  load.kill();

  expect(ready).toBe(`ready http://127.0.0.1:${PORT}/webhooks/argyle`);
  expect(sentCode).toBe(0);
});

test('npm start -- -c stage=production runs what production deploys', async () => {
  const [PORT, DYNAMODB_PORT, SQS_PORT] = await freePorts(3);
  const environment = { PORT, DYNAMODB_PORT, SQS_PORT };

  const started = run('npm', ['start', '--', '-c', 'stage=production'], environment);
  const said = textOf(started);
  await lineStarting(started, 'ready ');
  const stack = await (await fetch(`http://127.0.0.1:${PORT}/console/stack`)).json();
  const sent = run('npm', ['run', 'send', '--', 'user_uploads.added'], environment);
  const [sentCode] = await once(sent, 'exit');
  started.kill('SIGTERM');

  expect(stack).toMatchObject({ stackName: 'argyle-uploads-production' });
  expect(sentCode).toBe(0);
  expect(await said).not.toContain('leaves out');
});

test.each([
  { words: ['-c', 'stage'], says: '-c stage is not allowed: use -c key=value, as -c stage=production.' },
  {
    words: ['-c', 'stage=prod'],
    says: `The context value stage="prod" is not allowed: use 'sandbox' or 'production'.`,
  },
])('npm start refuses $words with a sentence', async ({ words, says }) => {
  const [PORT, DYNAMODB_PORT, SQS_PORT] = await freePorts(3);
  const started = run(process.execPath, ['tools/local/start.ts', ...words], { PORT, DYNAMODB_PORT, SQS_PORT });
  const [said, [code]] = await Promise.all([textOf(started), once(started, 'exit')]);

  expect(said.split('\n')[0]).toBe(says);
  expect(code).toBe(1);
});

test('a taken port is named in one sentence', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const taken = String((squatter.address() as AddressInfo).port);
  const [PORT, DYNAMODB_PORT] = await freePorts(2);

  const started = run(process.execPath, ['tools/local/start.ts'], { PORT, DYNAMODB_PORT, SQS_PORT: taken });
  const [said, [code]] = await Promise.all([textOf(started), once(started, 'exit')]);
  squatter.close();

  expect(said.trim()).toBe(`Port ${taken} is taken: choose another one with SQS_PORT=...`);
  expect(code).toBe(1);
});

test('a port that is taken while the stack is synthesized is named in the same sentence', async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const { port } = squatter.address() as AddressInfo;
  const ports = [
    { gateway: port, dynamodb: 0, sqs: 0 },
    { gateway: 0, dynamodb: port, sqs: 0 },
    { gateway: 0, dynamodb: 0, sqs: port },
  ];
  const options = {
    assembly: inject('assemblies').sandbox,
    webhookSecret: 'any',
    onLog: () => {},
    onWarning: () => {},
  };

  const starting = await Promise.allSettled(ports.map((taken) => startPipeline({ ...options, ports: taken })));
  squatter.close();

  expect(starting.map((result) => result.status === 'rejected' && result.reason.message)).toEqual(
    ['PORT', 'DYNAMODB_PORT', 'SQS_PORT'].map((name) => `Port ${port} is taken: choose another one with ${name}=...`),
  );
});

test('npm run send refuses an unknown event with a sentence and exit code 2', async () => {
  const sent = run('npm', ['run', 'send', '--', 'user_uploads.nothing'], {});
  const [said, [code]] = await Promise.all([textOf(sent), once(sent, 'exit')]);

  expect(said).toContain("'user_uploads.nothing' is invalid for argument 'event'");
  expect(code).toBe(2);
});

function run(
  command: string,
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ChildProcess {
  return spawn(command, words, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}

async function lineStarting(
  child: ChildProcess,
  start: string,
  times = 1,
  stream: 'stdout' | 'stderr' = 'stdout',
): Promise<string> {
  const input = child[stream];
  if (!input) throw new Error('The child has no output.');
  let seen = 0;
  for await (const line of createInterface({ input })) {
    if (line.startsWith(start)) seen += 1;
    if (seen === times) return line;
  }
  throw new Error(`The child ended without ${times} lines starting '${start}'.`);
}

async function textOf({ stderr }: ChildProcess): Promise<string> {
  return stderr ? (await stderr.toArray()).join('') : '';
}

async function freePorts(count: number): Promise<string[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => String((server.address() as AddressInfo).port));
  for (const server of servers) server.close();
  return ports;
}
