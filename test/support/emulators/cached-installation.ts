import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { createTemporaryFolder } from '../../../tools/local/temporary-folder.ts';

/** Ends the process with exit code 2 and a message when commands are missing. `commands` maps each one to its package. */
export function requireCommands(script: string, commands: Readonly<Record<string, string>>): void {
  const missing = Object.entries(commands).filter(([command]) => !isInstalled(command));
  if (missing.length === 0) return;
  const list = missing.map(([command, provider]) => `${command} (${provider})`).join(', ');
  console.error(`npm run ${script} needs commands that are not installed: ${list}.`);
  process.exit(2);
}

/**
 * Returns the folder of software that is not a dependency of the project. `install` fills it the first time. It stays in the
 * user's cache (XDG_CACHE_HOME, else ~/.cache), so `name` must contain everything that the content depends on.
 */
export async function cachedInstallation(
  name: string,
  install: (folder: string) => Promise<void> | void,
): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'argyle-uploads-receiver');
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  console.log(`Installing ${name} into ${cache}: a minute or two.`);
  await mkdir(cache, { recursive: true });
  // Renamed when complete, so that an interrupted installation is not used. Of two parallel installations the first one stays.
  const { directory: unfinished, remove } = createTemporaryFolder(`${folder}-`);
  try {
    await install(unfinished);
    await rename(unfinished, folder).catch((error) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    remove();
  }
  return folder;
}

/**
 * Returns a folder whose node_modules contains what the package.json and package-lock.json in `source` list. npm verifies
 * the hash of each package. With `scripts`, their install scripts run with these environment variables, and the compiled
 * result is kept for each platform and version of Node.js.
 */
export function lockedPackages(
  name: string,
  source: string,
  { scripts }: { readonly scripts?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const manifests = ['package.json', 'package-lock.json'].map((file) => join(source, file));
  const version = hash('sha256', manifests.map((file) => readFileSync(file, 'utf8')).join('\n')).slice(0, 12);
  const { platform, arch, versions } = process;
  const build = scripts ? [platform, arch, versions.modules] : [];
  return cachedInstallation([name, ...build, version].join('-'), (folder) => {
    for (const file of manifests) copyFileSync(file, join(folder, basename(file)));
    const words = [
      'ci',
      '--prefix',
      folder,
      `--ignore-scripts=${!scripts}`,
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ];
    execFileSync('npm', words, { cwd: folder, stdio: 'inherit', env: { ...process.env, ...scripts } });
  });
}

function isInstalled(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
