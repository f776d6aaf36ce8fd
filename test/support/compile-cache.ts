import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const directory = mkdtempSync(join(tmpdir(), 'argyle-uploads-compiled-'));

/**
 * Lets Node keep what it compiles for this run of the tests, which start some hundred processes that load the same modules:
 * half of what `npx uploads` takes is compiling, and two thirds of what an empty function's process takes.
 */
export function setup(): void {
  process.env.NODE_COMPILE_CACHE = directory;
}

/** Takes it away again. */
export function teardown(): void {
  rmSync(directory, { recursive: true, force: true });
}
