import { globSync, readFileSync } from 'node:fs';

/** Where Stryker leaves what became of each mutant. */
export const reportFile = '.stryker-tmp/report.json';

// Whatever Lambda calls is an entry.
const entries = globSync('functions/*.ts').filter((path) =>
  /^export const handler\b/m.test(readFileSync(path, 'utf8')),
);

export default {
  mutate: ['functions/domain/*.ts', ...entries],
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts' },
  // Only the tests that reach a mutant are run on it.
  coverageAnalysis: 'perTest',
  // Above what a loaded machine takes: a mutant that was only slow would count as killed.
  timeoutMS: 60_000,
  // Stryker would rewrite tsconfig.json for its sandbox with an interface that TypeScript 7 does not have; vitest needs none.
  tsconfigFile: 'none',
  reporters: ['json', 'progress-append-only'],
  jsonReporter: { fileName: reportFile },
};
