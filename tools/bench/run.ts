import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { requireCommands } from '../../test/support/emulators/cached-installation.ts';
import { createTemporaryFolder, exitOnSignals } from '../local/temporary-folder.ts';
import { startEndpoint } from './aws-endpoint.ts';
import { createStart, measureStarts } from './measure-starts.ts';
import { heading, report } from './report.ts';
import { buildVariants, bundle } from './variants.ts';

const page = new URL('../../docs/performance.md', import.meta.url);
const script = 'bench';

await new Command(`npm run ${script} --`)
  .description('Compares the functions with other ways to write them. Needs Linux, openssl and the npm registry.')
  .option('--rounds <n>', 'processes of each variant', readRounds, 21)
  .option('--write', 'replaces the latest full run in docs/performance.md')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .action(run)
  .parseAsync();

async function run({ rounds, write = false }: { readonly rounds: number; readonly write?: boolean }): Promise<void> {
  requireCommands(script, { openssl: 'openssl' });
  exitOnSignals();
  const { directory: folder, remove } = createTemporaryFolder('argyle-uploads-bench-');
  const endpoint = await startEndpoint(folder);
  try {
    const variants = await buildVariants(folder);
    await bundle("import './probe.ts'", join(folder, 'probe'));
    const start = createStart(folder, join(folder, 'probe/index.js'), endpoint);
    const figures = report(await measureStarts(variants, rounds, start), rounds);
    console.log(figures);
    if (write) await writeFile(page, `${(await readFile(page, 'utf8')).split(heading)[0]}${figures}`);
  } finally {
    endpoint.stop();
    remove();
  }
}

function readRounds(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Use a whole number above 0.');
}
