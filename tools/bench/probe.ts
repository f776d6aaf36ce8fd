import { readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { sep } from 'node:path';

// Measures its own process as one execution environment. It is bundled to JavaScript, so that only Node starts before the
// function.
const { PROBE_CODE = '', PROBE_EVENTS = '', PROBE_ROUNDS = '0' } = process.env;
const load = createRequire(PROBE_CODE + sep);
const { handler } = load(`${PROBE_CODE}/index.js`);
const ready = { readyAtNs: String(process.hrtime.bigint()), readyCpuMs: cpuUs() / 1_000 };

void measure();

async function measure(): Promise<void> {
  await call(JSON.parse(readFileSync(`${PROBE_EVENTS}-first.json`, 'utf8')));
  const coldAtNs = String(process.hrtime.bigint());
  const cold = { coldAtNs, coldCpuMs: cpuUs() / 1_000, firstPeakKilobytes: readPeakKilobytes() };
  const events = JSON.parse(readFileSync(`${PROBE_EVENTS}-warm.json`, 'utf8'));
  const rounds: number[] = [];
  for (let round = 0; round < Number(PROBE_ROUNDS); round += 1) {
    const startUs = cpuUs();
    for (const event of events) await call(event);
    rounds.push((cpuUs() - startUs) / events.length);
  }
  const [, ...counted] = rounds;
  const warmCpuUs = counted.reduce((sum, us) => sum + us, 0) / counted.length;
  writeSync(3, JSON.stringify({ ...ready, ...cold, warmCpuUs, peakKilobytes: readPeakKilobytes() }));
  process.exit();
}

async function call(event: unknown): Promise<void> {
  const context = { functionName: 'probe', awsRequestId: 'request', getRemainingTimeInMillis: () => 8_000 };
  const { statusCode = 200, batchItemFailures = [] } = await handler(event, context);
  if (statusCode !== 200 || batchItemFailures.length > 0) throw new Error('The function failed.');
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

// Not `process.resourceUsage().maxRSS`: on Linux a process inherits that value from its parent.
function readPeakKilobytes(): number {
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
}
