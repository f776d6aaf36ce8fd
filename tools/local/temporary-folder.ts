import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that is removed by `remove`, at the latest when the process exits. */
export type TemporaryFolder = { readonly directory: string; readonly remove: () => void };

/**
 * Creates a temporary folder. A signal that ends the process also removes the folder if the program handles the signal or has
 * called `exitOnSignals`.
 * @param prefix the beginning of its path; a name without a folder is in the system's temporary folder
 */
export function createTemporaryFolder(prefix: string): TemporaryFolder {
  const directory = mkdtempSync(join(prefix.includes('/') ? '' : tmpdir(), prefix));
  const remove = () => {
    process.off('exit', remove);
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  };
  process.on('exit', remove);
  return { directory, remove };
}

/** Turns signals that would end the process at once into a normal exit, so that temporary folders are removed. */
export function exitOnSignals(signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']): void {
  for (const signal of signals) process.once(signal, () => process.exit(128 + constants.signals[signal]));
}
