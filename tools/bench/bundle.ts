import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';

/** A path below bench/, or from there. */
export function pathOf(relativePath: string): string {
  return fileURLToPath(new URL(relativePath, import.meta.url));
}

/** Bundles one file into `folder` as index.js, minified; `options` say what differs. */
export async function bundle(entry: string, folder: string, options: BuildOptions = {}): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile: `${folder}/index.js`,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    logLevel: 'error',
    ...options,
  });
}
