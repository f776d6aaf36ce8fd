import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { type Lambda, startLambda } from '../../../tools/local/lambda.ts';
import { chosenEnvironment } from '../../support/emulators/runtime-client.ts';

let running: Lambda | undefined;
const directories: string[] = [];
afterEach(async () => {
  running?.stop();
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

test('a function gets the variables it is given, what Lambda sets, and nothing of this machine', async () => {
  process.env.OF_THIS_MACHINE = 'secret';
  running = await start('exports.handler = async () => process.env;', { environment: { GIVEN: 'value' } });

  const seen = (await running.invoke({})) as Record<string, string>;

  expect(seen).toMatchObject({ GIVEN: 'value', AWS_LAMBDA_FUNCTION_NAME: 'tested', AWS_REGION: 'us-east-1' });
  expect(seen).not.toHaveProperty('OF_THIS_MACHINE');
  expect(seen).not.toHaveProperty('PATH');
});

test('the run-time client that is asked for runs the function', async () => {
  const ours = fileURLToPath(new URL('../../../tools/local/lambda-child.ts', import.meta.url));
  running = await start('exports.handler = async () => process.argv[1];', {});

  expect(await running.invoke({})).toBe(process.env.LAMBDA_RUNTIME_CLIENT ?? ours);
});

test('a function is told who it is, which invocation this is, and how long it has', async () => {
  const code = `exports.handler = async (_, { awsRequestId, functionName, getRemainingTimeInMillis }) =>
    ({ awsRequestId, functionName, remainingMs: getRemainingTimeInMillis() });`;
  running = await start(code, { timeoutSeconds: 60 });
  type Seen = { awsRequestId: string; functionName: string; remainingMs: number };

  const first = (await running.invoke({})) as Seen;
  const second = (await running.invoke({}, 1_000_000)) as Seen;

  expect(first).toMatchObject({ functionName: 'tested', awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  expect(second.awsRequestId).not.toBe(first.awsRequestId);
  expect(first.remainingMs).toBeLessThanOrEqual(60_000);
  expect(second.remainingMs).toBeGreaterThan(60_000);
});

test('one execution environment works on one invocation at a time', async () => {
  const code =
    'let busy = 0; exports.handler = async () => { busy += 1; await new Promise(setImmediate); return busy--; };';
  running = await start(code, { concurrency: 2 });
  const { invoke } = running;

  expect(await Promise.all(Array.from({ length: 20 }, () => invoke({})))).toEqual(Array(20).fill(1));
});

test('an invocation fails when the function throws, dies, or takes longer than its time-out', async () => {
  const code = `exports.handler = async ({ how }) => {
    if (how === 'throw') throw new Error('thrown');
    if (how === 'die') process.exit(1);
    if (how === 'hang') await new Promise((resolve) => setTimeout(resolve, 60_000));
    return 'fine';
  };`;
  running = await start(code, { timeoutSeconds: 1 });

  await expect(running.invoke({ how: 'throw' })).rejects.toThrow('thrown');
  await expect(running.invoke({ how: 'die' })).rejects.toThrow('died');
  await expect(running.invoke({ how: 'hang' })).rejects.toThrow('Task timed out after 1 seconds');
  expect(await running.invoke({})).toBe('fine');
});

test('a function that cannot be loaded is an error, and none of its processes stays', async () => {
  const pids: number[] = [];
  const code = 'process.stdout.write(process.pid + require("node:os").EOL); throw new Error("broken");';

  await expect(start(code, { concurrency: 2, onLog: (line) => pids.push(Number(line)) })).rejects.toThrow(
    'did not start',
  );

  // One may be stopped before it prints: what is known must be dead, and something must be known.
  await expect.poll(() => new Set(pids.filter((pid) => pid > 0).map(isAlive))).toEqual(new Set([false]));
});

test('what is invoked or waits when the function is stopped fails', async () => {
  running = await start('exports.handler = async () => new Promise((resolve) => setTimeout(resolve, 60_000));', {});
  const invoked = Promise.allSettled([running.invoke({}), running.invoke({})]);
  running.stop();

  expect((await invoked).map((result) => result.status === 'rejected' && result.reason.message)).toEqual([
    'The execution environment died',
    'tested is stopped',
  ]);
  await expect(running.invoke({})).rejects.toThrow('stopped');
});

async function start(code: string, options: Partial<Parameters<typeof startLambda>[0]>): Promise<Lambda> {
  const codeDirectory = await mkdtemp(join(tmpdir(), 'lambda-test-'));
  directories.push(codeDirectory);
  await writeFile(join(codeDirectory, 'index.js'), code);
  const defaults = {
    environment: {},
    timeoutSeconds: 10,
    memoryMegabytes: 128,
    concurrency: 1,
    onLog: () => undefined,
    startEnvironment: chosenEnvironment(),
  };
  return startLambda({ name: 'tested', handler: 'index.handler', codeDirectory, ...defaults, ...options });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
