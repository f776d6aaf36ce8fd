import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

const module = new URL('../../../tools/local/temporary-folder.ts', import.meta.url);
const create = `
  const { createTemporaryFolder, exitOnSignals } = await import('${module}');
  const { directory, remove } = createTemporaryFolder('temporary-folder-test-');
  const print = () => process.stdout.write(directory);
`;

test.each([
  ['at the end of the program', 'print()'],
  ['when the program throws', 'print(); throw new Error("thrown")'],
  ['when the program calls process.exit', 'print(); process.exit(3)'],
  ['by remove', 'remove(); print()'],
])('a temporary folder is removed %s', async (_, code) => {
  const child = start(code);
  const [directory] = await Promise.all([text(child.stdout), once(child, 'exit')]);

  expect(directory).toContain('temporary-folder-test-');
  expect(existsSync(directory)).toBe(false);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('a temporary folder is removed when %s ends the program', async (signal, code) => {
  const child = start('exitOnSignals(); setInterval(() => {}, 1000); print()');
  const [chunk] = await once(child.stdout, 'data');
  const existed = existsSync(String(chunk));
  child.kill(signal);

  expect(await once(child, 'exit')).toEqual([code, null]);
  expect([existed, existsSync(String(chunk))]).toEqual([true, false]);
});

test('tools, proofs and the support of tests create temporary folders in this way only', () => {
  const files = ['tools', 'test/proofs', 'test/support'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  const creating = files.filter((path) => /\.(ts|mjs)$/.test(path) && /\bmkdtemp/.test(readFileSync(path, 'utf8')));

  // A test of vitest removes its own folders.
  expect(creating.filter((path) => !path.endsWith('.test.ts'))).toEqual(['tools/local/temporary-folder.ts']);
});

function start(code: string) {
  const words = ['--input-type=module', '--eval', create + code];
  return spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'ignore'] });
}
