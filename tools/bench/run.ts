import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { requireCommands } from '../../test/support/emulators/installed-part.ts';
import { buildVariants } from './build-variants.ts';
import { bundle, pathOf } from './bundle.ts';
import type { Results } from './goals.ts';
import { measureOwnLogic } from './measure-own-logic.ts';
import { type Measured, measureStarts } from './measure-starts.ts';
import { runPipeline } from './pipeline-run.ts';
import { performancePage } from './report.ts';
import { startEndpoint } from './start-endpoint.ts';
import { createStartOnce } from './start-once.ts';

const usage = `usage: npm run bench -- [--rounds N] [--port N]

Builds the functions and what they are compared with, starts each N times (default 21) in turns, runs the local pipeline on the
ports from --port on (default 8797), and writes docs/performance.md. Takes some minutes. Needs openssl, Linux, and at its first
run the npm registry.`;

const script = 'bench';
requireCommands(script, { openssl: 'openssl' });
const options = readOptions();
const folder = await mkdtemp(join(tmpdir(), 'argyle-uploads-bench-'));
try {
  await run();
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function run(): Promise<void> {
  const endpoint = await startEndpoint(folder);
  try {
    const { compared, ways } = await buildVariants(folder, `${endpoint.url}/v2`);
    const probe = join(folder, 'probe');
    await bundle(pathOf('probe.ts'), probe);
    const startOnce = createStartOnce(folder, join(probe, 'index.js'), endpoint);
    const seen = await measureStarts([...compared, ...ways], options.rounds, startOnce, (round) =>
      console.log(`round ${round} of ${options.rounds}`),
    );
    const isWay = ({ variant }: Measured) => ways.includes(variant);
    const [starts, measuredWays] = [seen.filter((one) => !isWay(one)), seen.filter(isWay)];
    const [load = 0] = loadavg();
    const ownLogic = await measureOwnLogic(folder, endpoint, options.rounds);
    const results: Results = { starts, ways: measuredWays, ownLogic, pipeline: await runPipeline(options.port) };
    const page = performancePage(results, options.rounds, load / cpus().length);
    console.log(page);
    await writeFile(pathOf('../../docs/performance.md'), page);
  } finally {
    endpoint.stop();
  }
}

function readOptions(): { readonly rounds: number; readonly port: number } {
  const known = { rounds: { type: 'string', default: '21' }, port: { type: 'string', default: '8797' } } as const;
  try {
    const { values } = parseArgs({ options: known });
    const [rounds, port] = [Number(values.rounds), Number(values.port)];
    if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(port))
      throw new Error('A number is not a number.');
    return { rounds, port };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}
