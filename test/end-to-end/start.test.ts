import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, expect, inject, onTestFinished, test } from 'vitest';
import { startPipeline } from '../../tools/local/pipeline.ts';
import { areAccepted, sendSamples } from '../../tools/messages/send-samples.ts';
import { until } from '../support/emulators/local-pipeline.ts';

const freePorts = { PORT: '0', DYNAMODB_PORT: '0', SQS_PORT: '0' };
const secret = 'from-the-environment';

// The temporary folder of the started programs. They must leave nothing there.
const TMPDIR = mkdtempSync(join(tmpdir(), 'start-test-'));
afterEach(() => {
  const left = readdirSync(TMPDIR);
  for (const name of left) rmSync(join(TMPDIR, name), { recursive: true });
  expect(left).toEqual([]);
});
afterAll(() => rmSync(TMPDIR, { recursive: true }));

test('npm start prints ready with the webhook URL and a readable line for each webhook; SIGTERM to npm stops it under load', async () => {
  const started = run('npm', ['start'], { ...freePorts, WEBHOOK_SECRET: secret });
  const [, url = ''] = await started.printed(/^ready (http:\/\/127\.0\.0\.1:\d+\/webhooks\/argyle)$/gm);
  const [, ...endpoints] = await started.printed(/^Console (\S+) {2}DynamoDB (\S+) {2}SQS (\S+)$/gm);
  const sent = run('npm', ['run', 'send', '--', 'user_uploads.added', '--count', '3'], {
    PORT: new URL(url).port,
    WEBHOOK_SECRET: secret,
  });
  expect(await sent.ended()).toBe(0);

  const load = sendWhileAccepted(url);
  await started.printed(/^[\d:.]+Z {2}ingest {2}accepted {5}user_uploads\.added {13}[0-9a-f-]{36} {2}\d+ ms$/gm, 20);
  await started.printed(/^[\d:.]+Z {2}worker {2}.*applied.* {2}user_uploads\.added .* \d+ ms$/gm);
  started.kill('SIGTERM');

  for (const endpoint of endpoints) await until(async () => !(await isListening(endpoint)));
  await load;
  // npm exits first: the program still removes its temporary folder.
  await until(async () => readdirSync(TMPDIR).length === 0);
});

test('npm start -- -c stage=production --json runs the stack of production and prints raw lines; SIGHUP of a closed terminal stops it', async () => {
  const words = ['tools/run.mjs', 'tools/local/start.ts', '-c', 'stage=production', '--json'];
  const started = run(process.execPath, words, { ...freePorts, WEBHOOK_SECRET: secret });
  const [, url = ''] = await started.printed(/^ready (.*)$/gm);
  const stack = await (await fetch(new URL('/console/stack', url))).json();
  const sample = { event: 'user_uploads.added', count: 1, upload: undefined, url, secret } as const;
  const sent = await sendSamples(sample);
  await started.printed(/^IngestFunction\w+ \{"_aws":.*"status":"accepted".*\}$/gm);
  // As when the terminal is closed: the program cannot print any more.
  started.closeOutput();
  started.kill('SIGHUP');
  await sendSamples(sample);

  expect(await started.ended()).toBe(0);
  expect(stack).toMatchObject({ stackName: 'argyle-uploads-production' });
  expect(areAccepted(sent)).toBe(true);
  expect(started.output()).not.toContain('leaves out');
});

// The tests above send SIGTERM and SIGHUP.
test('SIGINT during the synthesis stops npm start at once', async () => {
  const started = run(process.execPath, ['tools/run.mjs', 'tools/local/start.ts'], freePorts);
  await started.printed(/^Synthesizing/gm);
  await until(async () => readdirSync(TMPDIR).length > 0);
  started.kill('SIGINT');

  expect(await started.ended()).toBe(0);
  expect(started.output()).not.toContain('ready');
});

test.each([
  {
    words: ['-c', 'stage'],
    message:
      "error: option '-c, --context <key=value>' argument 'stage' is invalid. Use -c key=value, for example -c stage=production.",
  },
  {
    words: ['-c', 'stage=prod'],
    message: `The context value stage="prod" is not allowed: use 'sandbox' or 'production'.`,
  },
  {
    words: [],
    variables: { SQS_PORT: '70000' },
    message: 'SQS_PORT=70000 is not allowed: use a port from 1 to 65535, or 0 for a free port.',
  },
])('npm start refuses $words $variables with one sentence', async ({ words, variables, message }) => {
  const started = run(process.execPath, ['tools/run.mjs', 'tools/local/start.ts', ...words], {
    ...freePorts,
    ...variables,
  });

  expect(await started.ended()).toBe(1);
  expect(started.output().split('\n')).toContain(message);
});

test('npm start names a taken port in one sentence', async () => {
  const port = await takenPort();

  const started = run(process.execPath, ['tools/run.mjs', 'tools/local/start.ts'], {
    ...freePorts,
    SQS_PORT: String(port),
  });

  expect(await started.ended()).toBe(1);
  expect(started.output()).toBe(`Port ${port} is taken: choose another one with SQS_PORT=...\n`);
});

test('a port that is taken during the synthesis is named in the same sentence', async () => {
  const port = await takenPort();
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

  expect(starting.map((result) => result.status === 'rejected' && result.reason.message)).toEqual(
    ['PORT', 'DYNAMODB_PORT', 'SQS_PORT'].map((name) => `Port ${port} is taken: choose another one with ${name}=...`),
  );
});

test('npm run send refuses an unknown event with a sentence and exit code 2', async () => {
  const sent = run('npm', ['run', 'send', '--', 'user_uploads.nothing'], {});

  expect(await sent.ended()).toBe(2);
  expect(sent.output()).toContain("'user_uploads.nothing' is invalid for argument 'event'");
});

/** Starts a program and records its output, which is printed if the test fails. The program is killed when its test ends. */
function run(command: string, words: readonly string[], variables: Readonly<Record<string, string | undefined>>) {
  const child = spawn(command, words, {
    env: { ...process.env, TMPDIR, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  onTestFinished(({ task }) => {
    child.kill('SIGKILL');
    if (task.result?.state === 'fail') console.error(`${[command, ...words].join(' ')} printed:\n${output}`);
  });
  return {
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    output: () => output,
    closeOutput: () => {
      child.stdout.destroy();
      child.stderr.destroy();
    },
    ended: async () => (await closed)[0] as number | null,
    /** Resolves with the first match once there are `times` matches. Throws with the output when the program ends first. */
    printed: async (pattern: RegExp, times = 1): Promise<RegExpExecArray> => {
      for (;;) {
        const hasEnded = child.exitCode !== null || child.signalCode !== null;
        const matches = [...output.matchAll(pattern)];
        const [first] = matches;
        if (first && matches.length >= times) return first;
        if (hasEnded) throw new Error(`The program ended without printing ${pattern}. It printed:\n${output}`);
        await setTimeout(20);
      }
    },
  };
}

// Sends webhooks until one is not accepted.
async function sendWhileAccepted(url: string): Promise<void> {
  const samples = { event: 'user_uploads.added', count: 16, upload: undefined, url, secret } as const;
  while (areAccepted(await sendSamples(samples)));
}

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function isListening(endpoint: string): Promise<boolean> {
  const { hostname, port } = new URL(endpoint);
  const socket = connect(Number(port), hostname);
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}
