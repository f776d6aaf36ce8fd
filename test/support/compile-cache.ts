import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const directory = mkdtempSync(join(tmpdir(), 'argyle-uploads-compiled-'));

/**
 * Lets Node keep what it compiles for this run of the tests, which start many processes that load the same modules: half of
 * what `npx uploads` takes is compiling. Functions are not told: their environment is Lambda's, and nothing of this machine.
 */
export function setup(): void {
  process.env.NODE_COMPILE_CACHE = directory;
}

/** Takes it away again. */
export function teardown(): void {
  rmSync(directory, { recursive: true, force: true });
}
