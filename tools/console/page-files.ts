import { readFileSync } from 'node:fs';
import type { OutgoingHttpHeaders } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A file as a browser gets it. */
export type PageFile = { readonly body: string | Uint8Array; readonly headers: OutgoingHttpHeaders };

// Nothing from elsewhere, whatever finds its way into the page.
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const read = (name: string, type: string) => async (): Promise<PageFile> =>
  fileOf(readFileSync(new URL(`./page/${name}`, import.meta.url)), type);

const files: Readonly<Record<string, () => Promise<PageFile>>> = {
  '/': read('page.html', 'text/html'),
  '/console/page.css': read('page.css', 'text/css'),
  '/console/page.js': bundleScript,
};

/** The page's files by their path, each made when it is first asked for. */
export function createPageFiles() {
  const made = new Map<string, Promise<PageFile>>();
  return (path: string): Promise<PageFile> | undefined => {
    const make = Object.hasOwn(files, path) ? files[path] : undefined;
    if (make && !made.has(path)) made.set(path, make());
    return made.get(path);
  };
}

async function bundleScript(): Promise<PageFile> {
  const entry = fileURLToPath(new URL('./page/page.ts', import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false });
  return fileOf(outputFiles[0]?.contents ?? '', 'text/javascript');
}

function fileOf(body: string | Uint8Array, type: string): PageFile {
  const headers = {
    'content-type': `${type}; charset=utf-8`,
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
  };
  return { body, headers };
}
