import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { installedPart } from '../../test/support/emulators/installed-part.ts';
import { bundle, pathOf } from './bundle.ts';

const sources = pathOf('best-practice');

/**
 * Bundles the usual best practice from `bench/best-practice/`: gives the folder of each role, and that of the packages, which are
 * fetched once, into the user's cache: they would double what `npm ci` installs, for one command.
 */
export async function buildBestPractice(
  folder: string,
): Promise<{ readonly ingest: string; readonly worker: string; readonly packages: string }> {
  const manifest = readFileSync(join(sources, 'package.json'));
  const version = createHash('sha256').update(manifest).digest('hex').slice(0, 12);
  const installed = await installedPart(`best-practice-${version}`, (part) => {
    cpSync(join(sources, 'package.json'), join(part, 'package.json'));
    execFileSync('npm', ['install', '--no-package-lock', '--ignore-scripts'], { cwd: part, stdio: 'inherit' });
  });
  const copy = join(folder, 'best-practice');
  cpSync(sources, copy, { recursive: true });
  const packages = join(installed, 'node_modules');
  symlinkSync(packages, join(copy, 'node_modules'));
  const built = { ingest: join(copy, 'built-ingest'), worker: join(copy, 'built-worker') };
  await bundle(join(copy, 'ingest.ts'), built.ingest);
  await bundle(join(copy, 'worker.ts'), built.worker);
  return { ...built, packages };
}
