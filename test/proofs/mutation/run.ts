import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lockedPackages } from '../../support/emulators/cached-installation.ts';
import { equivalentMutants } from './equivalent-mutants.ts';
import { judge, type MutationReport } from './judge.ts';
import { reportFile } from './stryker.config.ts';

const usage = `usage: npm run proof -- mutation [FILE…]

Changes shared rules and the files on a webhook's path, or only the named files, in hundreds of ways, and expects a test to
fail for each change (mutant). A survivor must be listed with its reason in test/proofs/mutation/equivalent-mutants.ts. Downloads
Stryker.`;

const words = process.argv.slice(2);
if (words.some((word) => word.startsWith('-'))) {
  console.log(usage);
  process.exit(words.includes('--help') ? 0 : 2);
}
const files = words.join(',');
// Not a dependency of the project: Stryker would double the number of packages that npm ci installs.
const folder = await lockedPackages('stryker', fileURLToPath(new URL('.', import.meta.url)));
const stryker = join(folder, 'node_modules/@stryker-mutator/core/bin/stryker.js');
const options = ['run', 'test/proofs/mutation/stryker.config.ts', ...(files ? ['--mutate', files] : [])];
const { status } = spawnSync(process.execPath, [stryker, ...options], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

const report = JSON.parse(readFileSync(reportFile, 'utf8')) as MutationReport;
const listed = equivalentMutants.filter(({ file }) => !files || file in report.files);
const { scores, errors } = judge(report, listed);
for (const line of scores) console.log(line);
for (const line of errors) console.error(line);
process.exitCode = errors.length === 0 ? 0 : 1;
