import { defineConfig } from 'vitest/config';
import { assembliesIn } from '../../support/assemblies.ts';

// From run.ts: the assemblies of the code without mutants, for tests that need a table or the local pipeline, and the tests.
const { assemblies, tests } = JSON.parse(process.env.MUTATION ?? '{"assemblies":"","tests":[]}');

// Tests that start processes are excluded: a mutant is active in Vitest's process only.
export default defineConfig({
  test: {
    include: tests,
    exclude: ['test/tools/cli/{check,rotate}.test.ts'],
    setupFiles: 'test/support/function-environment.ts',
    provide: { assemblies: assembliesIn(assemblies) },
    // Long, because a mutant that only reaches the time-out counts as killed.
    testTimeout: 30_000,
  },
});
