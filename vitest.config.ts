import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/assemblies.ts',
    setupFiles: 'test/support/function-environment.ts',
    // Far above what a busy machine takes: only what hangs runs into them.
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
