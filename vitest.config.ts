import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { findChromium } from './test/support/emulators/chromium.ts';
import { SlowFirst } from './test/support/slow-first.ts';

// Without the installed Node.js the tests would run on the machine's, whose results say nothing about Lambda's.
if (Number.parseInt(process.versions.node, 10) < 24)
  throw new Error(
    `The tests need Node.js 24, and this is ${process.versions.node}: run npm ci without --omit=optional.`,
  );

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Where there is no browser, test/support/emulators/chromium.ts reports it.
    exclude: [...configDefaults.exclude, ...(findChromium() ? [] : ['test/browser/**'])],
    globalSetup: ['test/support/compile-cache.ts', 'test/support/assemblies.ts', 'test/support/emulators/chromium.ts'],
    sequence: { sequencer: SlowFirst },
    setupFiles: 'test/support/function-environment.ts',
    // One more than there are cores: half of the time, a test waits for child processes or timers.
    maxWorkers: availableParallelism() + 1,
    // Far more than a busy machine needs: only a test that hangs exceeds them.
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
