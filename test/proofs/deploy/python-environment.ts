import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** What this machine lacks for the run; its text is one sentence for whoever started it. */
export class MissingRequirement extends Error {}

/** A Python that can make virtual environments. */
export type Python = { readonly command: string; readonly version: string };

const run = promisify(execFile);
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'argyle-uploads-receiver');

/** Finds Python 3.10 or newer with venv and pip: `python3`, or what PYTHON names. Throws a MissingRequirement. */
export async function findPython(): Promise<Python> {
  const command = process.env.PYTHON || 'python3';
  const probe =
    "import sys; assert sys.version_info >= (3, 10), 'it is Python ' + sys.version.split()[0]; " +
    "import venv, ensurepip; print(sys.version.split()[0], sys.base_prefix, end='')";
  try {
    return { command, version: (await run(command, ['-c', probe])).stdout };
  } catch (error) {
    throw new MissingRequirement(
      `This needs Python 3.10 or newer with venv and pip, and ${command} will not do: ${lastLine(error)}.`,
    );
  }
}

/**
 * Gives the interpreter of a virtual environment that holds what a requirements file of this folder pins. It is made
 * once and kept in the user's cache, by the file's content and the Python's version. Throws a MissingRequirement when
 * pip cannot get a package.
 */
export async function virtualEnvironment(python: Python, requirementsFile: string): Promise<string> {
  const file = fileURLToPath(new URL(requirementsFile, import.meta.url));
  const key = createHash('sha256')
    .update(`${python.version}\n${await readFile(file, 'utf8')}`)
    .digest('hex');
  const folder = join(cache, `${basename(file, '-requirements.txt')}-${key.slice(0, 12)}`);
  const interpreter = join(folder, 'bin', 'python');
  if (await exists(interpreter)) return interpreter;

  console.log(`     installing ${requirementsFile} into ${folder}`);
  await mkdir(cache, { recursive: true });
  // Beside its place and renamed when complete: an interrupted or a second run leaves nothing half made.
  const unfinished = await mkdtemp(`${folder}-`);
  try {
    await run(python.command, ['-m', 'venv', unfinished]);
    await run(join(unfinished, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--requirement', file]);
    await rename(unfinished, folder).catch(async (error) => {
      if (!(await exists(interpreter))) throw error;
    });
  } catch (error) {
    throw new MissingRequirement(
      `pip could not install ${requirementsFile}, for which it needs PyPI: ${lastLine(error)}.`,
    );
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return interpreter;
}

function lastLine(error: unknown): string {
  const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string };
  if (code === 'ENOENT') return 'it was not found';
  return (stderr?.trim() || message).split('\n').at(-1)?.replace(/\.$/, '') ?? '';
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
