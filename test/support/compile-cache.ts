import { createTemporaryFolder, exitOnSignals } from '../../tools/local/temporary-folder.ts';

const { directory, remove } = createTemporaryFolder('argyle-uploads-compiled-');

/**
 * Turns on Node's compile cache for one test run. The tests start many processes that load the same modules, and compiling
 * takes half of the time of `npm run uploads`. The functions do not use the cache: their environment has no variables of this
 * machine.
 */
export function setup(): void {
  // Vitest itself handles SIGINT.
  exitOnSignals(['SIGTERM', 'SIGHUP']);
  process.env.NODE_COMPILE_CACHE = directory;
}

export function teardown(): void {
  remove();
}
