import { readdirSync } from 'node:fs';
import { pureFiles } from '../../pure-files.ts';

/** Where Stryker writes the outcome of each mutant. */
export const reportFile = '.stryker-tmp/report.json';

// Names of metrics are no rules.
const isRule = (file: string) => pureFiles.test(file) && !file.endsWith('/metric-names.ts');
const files = readdirSync('functions', { recursive: true, encoding: 'utf8' }).map((file) => `functions/${file}`);
// The tests of other files need emulators or the fake Argyle, which takes seconds for each mutant.
const webhookPath = ['ingest/handler', 'worker/handler', 'worker/apply-record', 'worker/enrich-record'];

export default {
  mutate: [...files.filter(isRule), ...webhookPath.map((name) => `functions/${name}.ts`)],
  testRunner: 'vitest',
  vitest: { configFile: 'test/proofs/mutation/vitest.config.ts' },
  // Runs only the tests that reach a mutant.
  coverageAnalysis: 'perTest',
  // Longer than a busy machine needs: a mutant that is only slow must not count as killed.
  timeoutMS: 60_000,
  // Stryker would rewrite tsconfig.json for its sandbox with an API that TypeScript 7 lacks. Vitest does not need it.
  tsconfigFile: 'none',
  reporters: ['json', 'progress-append-only'],
  jsonReporter: { fileName: reportFile },
};
