import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : []));

test.each([[[]], [['--help']]])('lists every proof when it is called with %j', async (words) => {
  const { code, stdout } = await run(...words);
  expect(code).toBe(0);
  expect([...stdout.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name).sort()).toEqual(names.sort());
});

test('an unknown name exits with 2 and one sentence that lists the names', async () => {
  const { code, stderr } = await run('nothing', '--help');
  expect(code).toBe(2);
  expect(stderr).toMatch(/^There is no proof "nothing"\. Use one of deploy, .*\.\n$/);
});

test('a proof receives its options and its exit code is handed on', async () => {
  expect(await run('soak', '--help')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^usage: .* soak /) });
  const wrong = await run('soak', '--uploads', '-1');
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('--uploads') });
  expect(await run('soak', '--uploads', '0')).toMatchObject({ code: 2 });
  expect(await run('soak', '--colour', 'red')).toMatchObject({ code: 2 });
});

function run(...words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [`${folder}run.ts`, ...words], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}
