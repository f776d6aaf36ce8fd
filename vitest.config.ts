import { configDefaults, defineConfig } from 'vitest/config';
import { findChromium } from './test/support/chromium.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Where there is no browser, test/support/browser-remark.ts says so.
    exclude: [...configDefaults.exclude, ...(findChromium() ? [] : ['test/browser/**'])],
    globalSetup: ['test/support/assemblies.ts', 'test/support/browser-remark.ts'],
    setupFiles: 'test/support/function-environment.ts',
    // Far above what a busy machine takes: only what hangs runs into them.
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
