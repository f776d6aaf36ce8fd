import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { equivalentMutants } from './equivalent-mutants.ts';
import { judge, type MutationReport } from './judge.ts';
import { reportFile } from './stryker.config.ts';

// `npm run test:mutation`, or `npm run test:mutation -- functions/worker/handler.ts` for some files only. Stryker is fetched on demand:
// it would double the packages that `npm ci` installs, for one command.
const version = '10.1.1';
const packages = ['core', 'vitest-runner'].flatMap((name) => ['--package', `@stryker-mutator/${name}@${version}`]);
const files = process.argv.slice(2).join(',');
const stryker = ['stryker', 'run', 'test/proofs/mutation/stryker.config.ts', ...(files ? ['--mutate', files] : [])];
const { status } = spawnSync('npx', ['--yes', ...packages, '--', ...stryker], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

const report = JSON.parse(readFileSync(reportFile, 'utf8')) as MutationReport;
const listed = equivalentMutants.filter(({ file }) => !files || file in report.files);
const { scores, faults } = judge(report, listed);
for (const line of scores) console.log(line);
for (const line of faults) console.error(line);
process.exitCode = faults.length === 0 ? 0 : 1;
