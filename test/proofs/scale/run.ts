import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { environment } from '../../../functions/aws/environment.ts';
import { type ArgyleControl, createArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { startFakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';
import type { SeedBlock } from '../../../tools/fake-argyle/seeded-upload.ts';
import type { Lambda } from '../../../tools/local/lambda.ts';
import { startPipeline } from '../../../tools/local/pipeline.ts';
import type { FakeArgyleAccess } from '../../../tools/local/provision.ts';
import { synthesize, withoutStageSettings } from '../../../tools/local/synthesize.ts';
import { valuesOf } from '../../../tools/local/wiring.ts';
import { readOptions } from '../command-line.ts';
import { startRecordsServer } from './records-server.ts';

const usage = `usage: npm run proof -- scale [--uploads N]

Runs the bundled reconciliation in its own process over N uploads (default 1000000) with a record each, and 20 more
records that Argyle does not list. Prints its time, checks its memory and requests. At 40 requests a second the default
takes over two minutes. Reads memory from /proc: Linux only.`;

const warmUpUploads = 1_000;
// Reconciliation applies this number of removals without a confirmation if at least 200 records are known from webhooks.
const unlistedRecords = 20;
// Argyle's limit, beyond which it answers 429.
const requestsPerSecond = 50;
// Allowed growth compared with a run over a thousand uploads. The function has 512 MB.
const maxGrowthMegabytes = 128;

const { uploads } = readOptions(usage, { uploads: 1_000_000 });
const credentials = { apiKeyId: 'id', apiKeySecret: 'secret' };
const stops: (() => unknown)[] = [];
try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  for (const stop of stops.reverse()) await stop();
}

async function run(): Promise<boolean> {
  const fake = await startFakeArgyle({ port: 0, ...credentials });
  stops.push(fake.stop);
  const argyle = createArgyleControl(fake.controlUrl);
  await argyle.seedUploads(warmUpUploads, 1);
  // The blocks determine which records exist. The fake Argyle has the uploads of the first two blocks, but not of the third.
  const blocks = [{ seed: 1, start: 0, count: warmUpUploads }];
  // The metrics line of each invocation: a run may take several.
  const parts: Record<string, unknown>[] = [];
  const lambda = await startReconciliation({ ...fake, credentials }, blocks, parts);

  await lambda.invoke({});
  while (parts.length === 0) await wait(100);
  const [pid = 0] = lambda.pids();
  const megabytesBefore = memoryMegabytes(pid, 'VmRSS');
  await argyle.seedUploads(uploads - warmUpUploads, 2);
  blocks.push({ seed: 2, start: warmUpUploads, count: uploads - warmUpUploads });
  blocks.push({ seed: 3, start: uploads, count: unlistedRecords });
  return reconcileMeasured(lambda, argyle, parts, megabytesBefore);
}

// Runs one reconciliation, prints what it used, and returns whether that is within its limits.
async function reconcileMeasured(
  lambda: Lambda,
  argyle: ArgyleControl,
  parts: readonly Record<string, unknown>[],
  megabytesBefore: number,
): Promise<boolean> {
  const [pid = 0] = lambda.pids();
  const requestsBefore = await countRequests(argyle);
  const startedMs = Date.now();
  await lambda.invoke({});
  // If the function's 15 minutes are not enough on this machine, it invokes itself again.
  while (parts.length < 2 || parts.at(-1)?.phase !== 'done') await wait(100);
  const seconds = (Date.now() - startedMs) / 1_000;
  const maxMegabytes = memoryMegabytes(pid, 'VmHWM');
  const requests = (await countRequests(argyle)) - requestsBefore;
  const maxPerSecond = (await argyle.state()).requests.maxInOneSecond;
  const growth = maxMegabytes - megabytesBefore;
  console.log(`${seconds.toFixed(1)} s in ${parts.length - 1} part(s), ${requests} requests to Argyle`);
  console.log(
    `requests: ${(requests / seconds).toFixed(1)} a second on average, ${maxPerSecond} in the busiest second`,
  );
  console.log(
    `memory: ${megabytesBefore.toFixed(1)} MB before, ${maxMegabytes.toFixed(1)} MB at most, ${growth.toFixed(1)} MB more ` +
      `(the ids alone are ${((uploads * 16) / 1e6).toFixed(1)} MB); the function has 512 MB`,
  );
  const isOk = areCountsRight(parts.slice(1)) && maxPerSecond < requestsPerSecond && growth < maxGrowthMegabytes;
  console.log(isOk ? 'ok' : 'FAILED');
  return isOk;
}

// Starts the stack, and returns its reconciliation function. The records come from `blocks`; `parts` receives the metrics.
async function startReconciliation(
  argyle: FakeArgyleAccess,
  blocks: readonly SeedBlock[],
  parts: Record<string, unknown>[],
): Promise<Lambda> {
  const assembly = await synthesize({ ...withoutStageSettings, argyleCredentials: 'argyle/api-key' });
  stops.push(assembly.remove);
  let tableName = '';
  const pipeline = await startPipeline({
    assembly: assembly.directory,
    ports: { gateway: 0, dynamodb: 0, sqs: 0 },
    webhookSecret: 'webhook-secret',
    argyle,
    onLog: (_, line) => {
      if (line.includes('"phase"')) parts.push(JSON.parse(line));
      else if (!line.startsWith('{"_aws"')) console.error(line);
    },
    onWarning: () => undefined,
    interpose: async (service, endpoint) => {
      if (service !== 'dynamodb') return endpoint;
      const server = await startRecordsServer(() => tableName, blocks, endpoint);
      stops.push(server.stop);
      return server.endpoint;
    },
  });
  stops.push(pipeline.stop);
  [tableName = ''] = valuesOf(environment.tableName, pipeline);
  const [schedule] = pipeline.schedules.values();
  if (!schedule) throw new Error('The template has no schedule.');
  return schedule.lambda;
}

function areCountsRight(parts: readonly Record<string, unknown>[]): boolean {
  const sum = (metric: string) => parts.reduce((total, part) => total + Number(part[metric]), 0);
  const [checked, missing, behind, gone, held] = ['Checked', 'Missing', 'Behind', 'Gone', 'RemovalsHeld'].map(sum);
  const candidates = Number(parts.at(-1)?.candidates);
  console.log(
    `checked ${checked}, missing ${missing}, behind ${behind}, candidates ${candidates}, gone ${gone}, held ${held}`,
  );
  const isUnchanged = [missing, behind, gone, held].every((count) => count === 0);
  return checked === uploads && candidates === unlistedRecords && isUnchanged;
}

async function countRequests(argyle: ArgyleControl): Promise<number> {
  const { byAnswer } = (await argyle.state()).requests;
  return Object.values(byAnswer).reduce((sum, count) => sum + count, 0);
}

// VmRSS is the memory in use now, VmHWM its maximum so far.
function memoryMegabytes(pid: number, name: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [, kilobytes] = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status) ?? [];
  return (Number(kilobytes) * 1_024) / 1e6;
}
