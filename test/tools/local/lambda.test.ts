import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test, vi } from 'vitest';
import { type Lambda, startLambda } from '../../../tools/local/lambda.ts';
import { chosenEnvironment } from '../../support/emulators/runtime-client.ts';

const hangingCode = 'exports.handler = () => new Promise((resolve) => setTimeout(resolve, 60_000));';

let running: Lambda | undefined;
const directories: string[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  running?.stop();
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

test('a function gets its own environment variables and those of Lambda, and none of this machine', async () => {
  vi.stubEnv('FROM_THIS_MACHINE', 'secret');
  running = await start('exports.handler = async () => process.env;', { environment: { GIVEN: 'value' } });

  const seen = (await running.invoke({})) as Record<string, string>;

  expect(seen).toMatchObject({ GIVEN: 'value', AWS_LAMBDA_FUNCTION_NAME: 'tested', AWS_REGION: 'us-east-1' });
  expect(seen).not.toHaveProperty('FROM_THIS_MACHINE');
  expect(seen).not.toHaveProperty('PATH');
});

test('the chosen run-time client runs the function', async () => {
  const ours = fileURLToPath(new URL('../../../tools/local/lambda-child.ts', import.meta.url));
  running = await start('exports.handler = async () => process.argv[1];', {});

  expect(await running.invoke({})).toBe(process.env.LAMBDA_RUNTIME_CLIENT ?? ours);
});

test('the context has the function name, the request id and the remaining time', async () => {
  const code = `exports.handler = async (_, { awsRequestId, functionName, getRemainingTimeInMillis }) =>
    ({ awsRequestId, functionName, remainingMs: getRemainingTimeInMillis() });`;
  running = await start(code, {});
  type Seen = { awsRequestId: string; functionName: string; remainingMs: number };

  const first = (await running.invoke({})) as Seen;
  const second = (await running.invoke({}, 1_000_000)) as Seen;

  expect(first).toMatchObject({ functionName: 'tested', awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  expect(second.awsRequestId).not.toBe(first.awsRequestId);
  expect(first.remainingMs).toBeLessThanOrEqual(60_000);
  expect(second.remainingMs).toBeGreaterThan(60_000);
});

test('an execution environment handles one invocation at a time', async () => {
  const code =
    'let busy = 0; exports.handler = async () => { busy += 1; await new Promise(setImmediate); return busy--; };';
  running = await start(code, { concurrency: 2 });
  const { invoke } = running;

  expect(await Promise.all(Array.from({ length: 20 }, () => invoke({})))).toEqual(Array(20).fill(1));
});

test('an invocation fails when the function throws or dies, and a dead environment is replaced', async () => {
  const code = `exports.handler = async ({ how }) => {
    if (how === 'throw') throw new Error('thrown');
    if (how === 'die') process.exit(1);
    return 'fine';
  };`;
  running = await start(code, {});

  await expect(running.invoke({ how: 'throw' })).rejects.toThrow('thrown');
  await expect(running.invoke({ how: 'die' })).rejects.toThrow('died');
  expect(await running.invoke({})).toBe('fine');
  expect(running.counts()).toEqual({ Invocations: 3, Errors: 2 });
});

test('an invocation that exceeds the time-out fails, and its environment is killed', async () => {
  running = await start(hangingCode, { timeoutSeconds: 0.1 });
  const [pid = 0] = running.pids();

  await expect(running.invoke({})).rejects.toThrow('Task timed out after 0.1 seconds');

  await expect.poll(() => isAlive(pid)).toBe(false);
});

test('starting a function whose code cannot be loaded fails and leaves no process', async () => {
  const pids: number[] = [];
  const code = 'process.stdout.write(process.pid + require("node:os").EOL); throw new Error("broken");';

  await expect(start(code, { concurrency: 2, onLog: (line) => pids.push(Number(line)) })).rejects.toThrow(
    'did not start',
  );

  // A process may be killed before it prints its id. At least one id must be known, and all known ones must be dead.
  await expect.poll(() => new Set(pids.filter((pid) => pid > 0).map(isAlive))).toEqual(new Set([false]));
});

test('running and waiting invocations fail when the function is stopped', async () => {
  running = await start(hangingCode, {});
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
    timeoutSeconds: 60,
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
