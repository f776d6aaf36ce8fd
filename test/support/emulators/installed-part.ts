import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Says in one sentence which commands this machine lacks, and ends with exit code 2; `commands` maps each to its package. */
export function requireCommands(script: string, commands: Readonly<Record<string, string>>): void {
  const missing = Object.entries(commands).filter(([command]) => !isInstalled(command));
  if (missing.length === 0) return;
  const list = missing.map(([command, provider]) => `${command} (${provider})`).join(', ');
  console.error(`npm run ${script} needs what this machine lacks: ${list}.`);
  process.exit(2);
}

/**
 * Gives the folder of a part that is no dependency of the project. The first time, `install` fills it; it stays in the
 * user's cache (XDG_CACHE_HOME, else ~/.cache), so `name` must say all that the content depends on.
 */
export async function installedPart(name: string, install: (folder: string) => Promise<void> | void): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'argyle-uploads-receiver');
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  console.log(`Installing ${name} into ${cache}: a minute or two.`);
  await mkdir(cache, { recursive: true });
  // Renamed once it is whole: what was interrupted is never taken for installed, and of two at once the first one stays.
  const unfinished = await mkdtemp(`${folder}-`);
  try {
    await install(unfinished);
    await rename(unfinished, folder).catch((error) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}

function isInstalled(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
