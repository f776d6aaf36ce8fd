/** Where Stryker writes the outcome of each mutant. */
export const reportFile = '.stryker-tmp/report.json';

// run.ts passes the files to mutate as an option.
export default {
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
