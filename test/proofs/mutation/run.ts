import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { equivalentMutants } from './equivalent-mutants.ts';
import { judge, type MutationReport } from './judge.ts';
import { reportFile } from './stryker.config.ts';

const usage = `usage: npm run proof -- mutation [FILE…]

Changes shared rules and the files on a webhook's path, or only the named files, in hundreds of ways, and expects a test to
fail for each change (mutant). A survivor must be listed with its reason in test/proofs/mutation/equivalent-mutants.ts. Downloads
Stryker.`;

// Not a dependency: Stryker would double the number of packages that npm ci installs.
const version = '10.1.1';
const packages = ['core', 'vitest-runner'].flatMap((name) => ['--package', `@stryker-mutator/${name}@${version}`]);
const words = process.argv.slice(2);
if (words.some((word) => word.startsWith('-'))) {
  console.log(usage);
  process.exit(words.includes('--help') ? 0 : 2);
}
const files = words.join(',');
const stryker = ['stryker', 'run', 'test/proofs/mutation/stryker.config.ts', ...(files ? ['--mutate', files] : [])];
const { status } = spawnSync('npx', ['--yes', ...packages, '--', ...stryker], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

const report = JSON.parse(readFileSync(reportFile, 'utf8')) as MutationReport;
const listed = equivalentMutants.filter(({ file }) => !files || file in report.files);
const { scores, errors } = judge(report, listed);
for (const line of scores) console.log(line);
for (const line of errors) console.error(line);
process.exitCode = errors.length === 0 ? 0 : 1;
