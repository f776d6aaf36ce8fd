import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const directory = mkdtempSync(join(tmpdir(), 'argyle-uploads-compiled-'));

/**
 * Turns on Node's compile cache for one test run. The tests start many processes that load the same modules, and compiling
 * takes half of the time of `npm run uploads`. The functions do not use the cache: their environment has no variables of this
 * machine.
 */
export function setup(): void {
  process.env.NODE_COMPILE_CACHE = directory;
}

export function teardown(): void {
  rmSync(directory, { recursive: true, force: true });
}
