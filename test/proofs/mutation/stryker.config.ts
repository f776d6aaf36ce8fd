/** Where Stryker leaves what became of each mutant. */
export const reportFile = '.stryker-tmp/report.json';

// The way of a webhook. The other entries are tested on engines and the fake Argyle, which takes seconds for each mutant.
const webhookPath = ['ingest/handler', 'worker/handler', 'worker/apply-record', 'worker/enrich-record'].map(
  (name) => `functions/${name}.ts`,
);

export default {
  mutate: [
    'functions/domain/*.ts',
    'functions/ingest/signature.ts',
    'functions/worker/retry-delay.ts',
    'functions/record-changes/record-change.ts',
    'functions/reconciliation/{run,removal-rule,upload-comparison,upload-id-set}.ts',
    ...webhookPath,
  ],
  testRunner: 'vitest',
  vitest: { configFile: 'test/proofs/mutation/vitest.config.ts' },
  // Only the tests that reach a mutant are run on it.
  coverageAnalysis: 'perTest',
  // Above what a loaded machine takes: a mutant that was only slow would count as killed.
  timeoutMS: 60_000,
  // Stryker would rewrite tsconfig.json for its sandbox with an interface that TypeScript 7 does not have; vitest needs none.
  tsconfigFile: 'none',
  reporters: ['json', 'progress-append-only'],
  jsonReporter: { fileName: reportFile },
};
