import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { ReconcileAnswer } from '../../functions/reconcile.ts';
import { createArgyleControl } from '../../local/argyle/control.ts';
import { startFakeArgyle } from '../../local/argyle/fake-argyle.ts';
import { argyleKey, startMeasuredFunction } from './measured-function.ts';

const usage = `usage: npm run test:scale -- [--uploads N]

Runs the bundled reconciliation, in a process of its own, over N uploads (default 1000000) with as many records, 50 more
that Argyle does not list, and prints its memory, its time and its requests. At 40 requests a second the default takes over
two minutes. Memory is read from /proc: Linux only.`;

const warmUpUploads = 1_000;
const lostRemovals = 50;

const { uploads } = readOptions();
const stops: (() => unknown)[] = [];
try {
  process.exitCode = await run();
} finally {
  for (const stop of stops.reverse()) await stop();
}

async function run(): Promise<number> {
  const argyle = await startFakeArgyle({ port: 0, ...argyleKey });
  stops.push(argyle.stop);
  const control = createArgyleControl(argyle.controlUrl);
  await control.seedUploads(warmUpUploads, 1);
  // As the fake seeds them; the third block is in the records alone.
  const blocks = [{ seed: 1, start: 0, count: warmUpUploads }];
  const lambda = await startMeasuredFunction(argyle.url, blocks, stops);
  const [pid = 0] = lambda.pids();

  await lambda.invoke({});
  const baselineBytes = memoryOf(pid, 'VmRSS');
  await control.seedUploads(uploads - warmUpUploads, 2);
  blocks.push({ seed: 2, start: warmUpUploads, count: uploads - warmUpUploads });
  blocks.push({ seed: 3, start: uploads, count: lostRemovals });
  const before = (await control.state()).requests;
  const startedMs = Date.now();
  const answer = (await lambda.invoke({})) as ReconcileAnswer;
  const seconds = (Date.now() - startedMs) / 1_000;
  const peakBytes = memoryOf(pid, 'VmHWM');
  const { byAnswer, mostInOneSecond } = (await control.state()).requests;
  const requests = total(byAnswer) - total(before.byAnswer);

  const overMegabytes = (peakBytes - baselineBytes) / 1e6;
  console.log(`${JSON.stringify(answer)}`);
  console.log(
    `${uploads} uploads, ${uploads + lostRemovals} records: ${seconds.toFixed(1)} s, ${requests} requests to Argyle`,
  );
  console.log(
    `requests: ${(requests / seconds).toFixed(1)} a second on average, ${mostInOneSecond} in the busiest second`,
  );
  console.log(
    `memory: ${megabytes(baselineBytes)} MB before, ${megabytes(peakBytes)} MB at most, ${overMegabytes.toFixed(1)} MB more` +
      ` (the ids alone are ${megabytes(uploads * 16)} MB); the function has 512 MB`,
  );
  const isRight =
    answer.status === 'done' &&
    answer.counts.checked === uploads &&
    answer.counts.missing + answer.counts.behind + answer.counts.gone + answer.counts.held === 0 &&
    answer.counts.candidates === lostRemovals;
  const isOk = isRight && mostInOneSecond < 50 && overMegabytes < 200;
  console.log(isOk ? 'ok' : 'FAILED');
  return isOk ? 0 : 1;
}

// VmRSS: what the process has in memory now. VmHWM: the most that it ever had.
function memoryOf(pid: number, name: 'VmRSS' | 'VmHWM'): number {
  const [, kilobytes] =
    new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function readOptions() {
  const { values } = parseArgs({
    options: { uploads: { type: 'string', default: '1000000' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const wanted = Number(values.uploads);
  if (!Number.isInteger(wanted) || wanted <= warmUpUploads) throw new Error(usage);
  return { uploads: wanted };
}
