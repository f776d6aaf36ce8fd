import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { startFakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';
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
  // The line that each part of a run prints.
  const parts: Record<string, unknown>[] = [];
  const lambda = await startMeasuredFunction(argyle.url, blocks, stops, (line) => {
    if (line.startsWith('{')) parts.push(JSON.parse(line));
    else console.error(line);
  });
  const [pid = 0] = lambda.pids();

  await lambda.invoke({});
  while (parts.length === 0) await wait(100);
  const baselineBytes = memoryOf(pid, 'VmRSS');
  await control.seedUploads(uploads - warmUpUploads, 2);
  blocks.push({ seed: 2, start: warmUpUploads, count: uploads - warmUpUploads });
  blocks.push({ seed: 3, start: uploads, count: lostRemovals });
  const before = (await control.state()).requests;
  const startedMs = Date.now();
  await lambda.invoke({});
  // Should its 15 minutes not be enough on this machine, it goes on by itself.
  while (parts.length < 2 || parts.at(-1)?.phase !== 'done') await wait(100);
  const seconds = (Date.now() - startedMs) / 1_000;
  const peakBytes = memoryOf(pid, 'VmHWM');
  const { byAnswer, maxInOneSecond } = (await control.state()).requests;
  const requests = total(byAnswer) - total(before.byAnswer);
  const [, ...measured] = parts;
  const sum = (metric: string) => measured.reduce((all, part) => all + Number(part[metric]), 0);
  const [checked, missing, behind, gone, held] = ['Checked', 'Missing', 'Behind', 'Gone', 'RemovalsHeld'].map(sum);
  const candidates = Number(measured.at(-1)?.candidates);

  const overMegabytes = (peakBytes - baselineBytes) / 1e6;
  console.log(
    `checked ${checked}, missing ${missing}, behind ${behind}, candidates ${candidates}, gone ${gone}, held ${held}`,
  );
  console.log(`${seconds.toFixed(1)} s in ${measured.length} part(s), ${requests} requests to Argyle`);
  console.log(
    `requests: ${(requests / seconds).toFixed(1)} a second on average, ${maxInOneSecond} in the busiest second`,
  );
  console.log(
    `memory: ${megabytes(baselineBytes)} MB before, ${megabytes(peakBytes)} MB at most, ${overMegabytes.toFixed(1)} MB more` +
      ` (the ids alone are ${megabytes(uploads * 16)} MB); the function has 512 MB`,
  );
  const isRight =
    checked === uploads && candidates === lostRemovals && [missing, behind, gone, held].every((count) => count === 0);
  const isOk = isRight && maxInOneSecond < 50 && overMegabytes < 128;
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
