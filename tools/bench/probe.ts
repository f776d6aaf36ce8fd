import { readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { sep } from 'node:path';

// One execution environment, measured from inside: it loads a bundle, makes the first call, then the others. Bundled to plain
// JavaScript before it runs, so that nothing of ours is between Node's start and the function's.
const { PROBE_CODE = '', PROBE_FIRST = '', PROBE_EVENTS = '', PROBE_ROUNDS = '0' } = process.env;
const load = createRequire(PROBE_CODE + sep);
const { handler } = load(`${PROBE_CODE}/index.js`);
const ready = now();

void measure();

async function measure(): Promise<void> {
  const context = { functionName: 'probe', awsRequestId: 'request', getRemainingTimeInMillis: () => 8_000 };
  const call = async (event: unknown): Promise<void> => {
    const { statusCode = 200, batchItemFailures = [] } = await handler(event, context);
    if (statusCode !== 200 || batchItemFailures.length > 0) throw new Error('The function did not do its work.');
  };
  await call(JSON.parse(readFileSync(PROBE_FIRST, 'utf8')));
  const first = now();
  const firstPeakKilobytes = readPeakKilobytes();

  const events = JSON.parse(readFileSync(PROBE_EVENTS, 'utf8')) as unknown[];
  const rounds: number[] = [];
  for (let round = 0; round < Number(PROBE_ROUNDS); round += 1) {
    const before = process.cpuUsage();
    for (const event of events) await call(event);
    const { user, system } = process.cpuUsage(before);
    rounds.push((user + system) / events.length);
  }
  const [, ...warm] = rounds;
  const warmCpuUs = warm.reduce((sum, cpuUs) => sum + cpuUs, 0) / Math.max(1, warm.length);
  writeSync(3, JSON.stringify({ ready, first, warmCpuUs, firstPeakKilobytes, peakKilobytes: readPeakKilobytes() }));
  process.exit();
}

function now(): { readonly atNs: string; readonly cpuUs: number } {
  const { user, system } = process.cpuUsage();
  return { atNs: String(process.hrtime.bigint()), cpuUs: user + system };
}

// Not `process.resourceUsage().maxRSS`: Linux hands that down from the process that started this one.
function readPeakKilobytes(): number {
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}
