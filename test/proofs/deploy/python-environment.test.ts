import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const script = fileURLToPath(new URL('./run.ts', import.meta.url));

test('without Python, the deployment test says so in one sentence and exits with 2', async () => {
  expect(await runWith('no-such-python')).toEqual({
    code: 2,
    stdout: '',
    stderr: 'This needs Python 3.10 or newer with venv and pip, and no-such-python will not do: it was not found.\n',
  });
});

test('with a Python that will not do, it says why not', async () => {
  const python = await fakePython("echo 'AssertionError: it is Python 3.9.2' >&2; exit 1");
  expect(await runWith(python)).toEqual({
    code: 2,
    stdout: '',
    stderr: `This needs Python 3.10 or newer with venv and pip, and ${python} will not do: AssertionError: it is Python 3.9.2.\n`,
  });
});

async function fakePython(commands: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'argyle-python-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'python');
  await writeFile(file, `#!/bin/sh\n${commands}\n`);
  await chmod(file, 0o755);
  return file;
}

function runWith(PYTHON: string): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [script], { env: { ...process.env, PYTHON } }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}
