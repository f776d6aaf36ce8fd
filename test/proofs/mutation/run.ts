import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyAssemblies } from '../../support/assemblies.ts';
import { lockedPackages } from '../../support/emulators/cached-installation.ts';
import { equivalentMutants } from './equivalent-mutants.ts';
import { judge, type MutationReport } from './judge.ts';
import { mutatedFiles, testsOf } from './mutated-files.ts';
import { reportFile } from './stryker.config.ts';

const usage = `usage: npm run proof -- mutation [FILE or FOLDER…]

Changes the functions and the command line's moves of messages, or only the named files and folders, in hundreds of ways, and
expects a test to fail for each change (mutant). A survivor must be listed with its reason in
test/proofs/mutation/equivalent-mutants.ts. Downloads Stryker.`;

const words = process.argv.slice(2);
if (words.some((word) => word.startsWith('-'))) {
  console.log(usage);
  process.exit(words.includes('--help') ? 0 : 2);
}
const files = readFiles(words);
// Not a dependency of the project: Stryker would double the number of packages that npm ci installs.
const folder = await lockedPackages('stryker', fileURLToPath(new URL('.', import.meta.url)));
const stryker = join(folder, 'node_modules/@stryker-mutator/core/bin/stryker.js');
const assemblies = await copyAssemblies();
const options = ['run', 'test/proofs/mutation/stryker.config.ts', '--mutate', files.join(',')];
const { status } = spawnSync(process.execPath, [stryker, ...options], {
  stdio: 'inherit',
  env: { ...process.env, MUTATION: JSON.stringify({ assemblies: assemblies.directory, tests: testsOf(files) }) },
});
assemblies.remove();
if (status !== 0) process.exit(status ?? 1);

const report = JSON.parse(readFileSync(reportFile, 'utf8')) as MutationReport;
const listed = equivalentMutants.filter(({ file }) => words.length === 0 || file in report.files);
const { scores, errors } = judge(report, listed);
for (const line of scores) console.log(line);
for (const line of errors) console.error(line);
process.exitCode = errors.length === 0 ? 0 : 1;

function readFiles(parts: readonly string[]): readonly string[] {
  try {
    return mutatedFiles(parts);
  } catch (error) {
    console.error((error as Error).message);
    return process.exit(2);
  }
}
