import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { findChromium } from './test/support/emulators/chromium.ts';
import { QuickLast } from './test/support/quick-last.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Where there is no browser, test/support/emulators/chromium.ts reports it.
    exclude: [...configDefaults.exclude, ...(findChromium() ? [] : ['test/browser/**'])],
    globalSetup: ['test/support/compile-cache.ts', 'test/support/assemblies.ts', 'test/support/emulators/chromium.ts'],
    sequence: { sequencer: QuickLast },
    setupFiles: 'test/support/function-environment.ts',
    // Half of the time a test waits for processes of its own, or for a time to pass: one worker more than there are cores.
    maxWorkers: availableParallelism() + 1,
    // Far above what a busy machine takes: only what hangs runs into them.
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
