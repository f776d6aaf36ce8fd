import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cachedInstallation } from '../../support/emulators/cached-installation.ts';

type Python = { readonly command: string; readonly version: string };

const run = promisify(execFile);

/** Finds Python 3.10 or newer with venv and pip: PYTHON or `python3`. Prints the reason and exits with 2 if there is none. */
export async function findPython(): Promise<Python> {
  const command = process.env.PYTHON || 'python3';
  const probe =
    "import sys; assert sys.version_info >= (3, 10), 'it is Python ' + sys.version.split()[0]; " +
    "import venv, ensurepip; print(sys.version.split()[0], sys.base_prefix, end='')";
  try {
    return { command, version: (await run(command, ['-c', probe])).stdout };
  } catch (error) {
    return fail(`This proof needs Python 3.10 or newer with venv and pip. ${command} does not work`, error);
  }
}

/**
 * Returns the interpreter of a virtual environment with the packages of a requirements file in this folder, which lists the
 * hash of each one. The user's cache keeps it for each content of the file and version of Python. Prints the reason and
 * exits with 2 when pip fails.
 */
export async function virtualEnvironment(python: Python, requirementsFile: string): Promise<string> {
  const file = fileURLToPath(new URL(requirementsFile, import.meta.url));
  const key = hash('sha256', `${python.version}\n${readFileSync(file, 'utf8')}`).slice(0, 12);
  const install = async (folder: string) => {
    await run(python.command, ['-m', 'venv', folder]);
    // A source distribution would build with packages that the file does not list.
    const words = '-m pip install --require-hashes --only-binary :all: --quiet --requirement'.split(' ');
    await run(join(folder, 'bin', 'python'), [...words, file]);
  };
  const folder = await cachedInstallation(`${basename(file, '-requirements.txt')}-${key}`, install).catch((error) =>
    fail(`pip could not install ${requirementsFile} from PyPI`, error),
  );
  return join(folder, 'bin', 'python');
}

function fail(sentence: string, error: unknown): never {
  const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string };
  const lines = (stderr?.trim() || message).split('\n');
  const reason =
    code === 'ENOENT' ? 'it was not found' : (lines.find((line) => line.startsWith('ERROR')) ?? lines.at(-1));
  console.error(`${sentence}: ${reason?.replace(/\.$/, '')}.`);
  process.exit(2);
}
