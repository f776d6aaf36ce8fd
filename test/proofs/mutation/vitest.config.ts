import { defineConfig } from 'vitest/config';

// What can kill a mutant of the domain or of an entry within seconds: no stack, no bundles, no waiting. The time limit is
// long because a mutant that only ran into it would count as killed.
export default defineConfig({
  test: {
    include: [
      'test/*.test.ts',
      'test/functions/{domain,ingest,worker,record-changes,rotation,reconciliation}/**/*.test.ts',
    ],
    // Nor engines: what needs them takes seconds for each mutant.
    exclude: [
      'test/architecture.test.ts',
      'test/bundles.test.ts',
      'test/functions/*/*-{reader,store,store-orders}.test.ts',
      'test/functions/reconciliation/{handler,histories,check-removals,list-uploads}.test.ts',
    ],
    setupFiles: 'test/support/function-environment.ts',
    testTimeout: 30_000,
  },
});
