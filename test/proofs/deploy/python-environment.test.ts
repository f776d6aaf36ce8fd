import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const module = JSON.stringify(fileURLToPath(new URL('./python-environment.ts', import.meta.url)));
const script = `import { findPython } from ${module}; await findPython();`;
const needs = 'This proof needs Python 3.10 or newer with venv and pip.';

test('without Python, findPython prints one sentence and exits with 2', async () => {
  const stderr = `${needs} no-such-python does not work: it was not found.\n`;
  expect(await runWith('no-such-python')).toEqual({ code: 2, stdout: '', stderr });
});

test('with an unsuitable Python, it prints the reason', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'argyle-python-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const python = join(folder, 'python');
  await writeFile(python, "#!/bin/sh\necho 'AssertionError: it is Python 3.9.2' >&2; exit 1\n", { mode: 0o755 });
  const stderr = `${needs} ${python} does not work: AssertionError: it is Python 3.9.2.\n`;
  expect(await runWith(python)).toEqual({ code: 2, stdout: '', stderr });
});

function runWith(PYTHON: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { env: { ...process.env, PYTHON } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}
