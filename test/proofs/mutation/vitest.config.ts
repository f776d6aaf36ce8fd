import { defineConfig } from 'vitest/config';

// Only fast tests run for each mutant. Tests with emulators, bundles or the stack are excluded.
export default defineConfig({
  test: {
    include: [
      'test/*.test.ts',
      'test/functions/{domain,ingest,worker,record-changes,rotation,reconciliation}/**/*.test.ts',
    ],
    exclude: [
      'test/architecture.test.ts',
      'test/bundles.test.ts',
      'test/functions/*/*-{reader,store,store-orders}.test.ts',
      'test/functions/reconciliation/{handler,histories,check-removals,list-uploads}.test.ts',
    ],
    setupFiles: 'test/support/function-environment.ts',
    // Long, because a mutant that only reaches the time-out counts as killed.
    testTimeout: 30_000,
  },
});
