import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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

test('pip refuses a package without its listed hash, and the proof exits with 2 and the reason', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'argyle-python-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const python = join(folder, 'python');
  // Called as `python -m venv FOLDER`, whose interpreter then runs pip.
  const pip = `#!/bin/sh\necho "$*" > ${folder}/words\nprintf 'ERROR: THESE HASHES DIFFER.\\n  Got abc\\n' >&2; exit 1\n`;
  await writeFile(join(folder, 'pip'), pip, { mode: 0o755 });
  await writeFile(python, `#!/bin/sh\nmkdir -p "$3/bin" && cp ${folder}/pip "$3/bin/python"\n`, { mode: 0o755 });
  const call = `virtualEnvironment({ command: ${JSON.stringify(python)}, version: '1' }, 'linter-requirements.txt')`;

  const ended = await evaluate(`import { virtualEnvironment } from ${module}; await ${call};`, {
    XDG_CACHE_HOME: folder,
  });

  expect(ended.code).toBe(2);
  expect(ended.stderr).toBe('pip could not install linter-requirements.txt from PyPI: ERROR: THESE HASHES DIFFER.\n');
  expect(await readFile(join(folder, 'words'), 'utf8')).toMatch(
    /^-m pip install --require-hashes --only-binary :all: .*\/linter-requirements\.txt\n$/,
  );
});

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

function runWith(PYTHON: string): Promise<Ended> {
  return evaluate(script, { PYTHON });
}

function evaluate(code: string, variables: NodeJS.ProcessEnv): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--input-type=module', '--eval', code],
      { env: { ...process.env, ...variables } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}
