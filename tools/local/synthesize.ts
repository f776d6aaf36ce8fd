import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { withoutMachineSettings } from './machine-settings.ts';
import { createTemporaryFolder, type TemporaryFolder } from './temporary-folder.ts';

/** A cloud assembly outside of the repository, so that a bundle cannot use the repository's packages. */
export type Assembly = TemporaryFolder;

/** Context that ignores the stages' settings in cdk.json, for what must not depend on them. */
export const withoutStageSettings = { stages: '{}' } as const;

const repository = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Synthesizes the stack into a temporary folder with the CDK CLI, as `cdk deploy` does. Throws with the CLI's message when
 * it fails, or with the signal's reason.
 * @param options.validation false skips the check of the template against CloudFormation's rules, which takes about half of
 *   the time. The template is the same.
 * @param options.signal ends the CDK CLI and removes the folder
 */
export async function synthesize(
  context: Readonly<Record<string, string>>,
  { validation = true, signal }: { readonly validation?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Assembly> {
  const folder = createTemporaryFolder('argyle-uploads-');
  const words = Object.entries(context).flatMap(([key, value]) => ['--context', `${key}=${value}`]);
  if (!validation) words.push('--no-validation');
  try {
    await run(['synth', '--quiet', '--no-notices', '--output', folder.directory, ...words], signal);
  } catch (error) {
    folder.remove();
    throw error;
  }
  return folder;
}

/** Returns the `argyleCredentials` that cdk.json states for a stage, if any. */
export function statedCredentials(stage: string): string | undefined {
  const { context } = JSON.parse(readFileSync(join(repository, 'cdk.json'), 'utf8'));
  return context.stages?.[stage]?.argyleCredentials;
}

async function run(words: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const child = spawn(process.execPath, ['node_modules/aws-cdk/bin/cdk', ...words], {
    cwd: repository,
    env: { ...withoutMachineSettings(process.env), CDK_DISABLE_CLI_TELEMETRY: 'true' },
    stdio: ['ignore', 'ignore', 'pipe'],
    // Its own process group, so that `killGroup` also ends the app and esbuild, which would go on writing to the folder.
    detached: true,
  });
  const kill = () => killGroup(child);
  signal?.addEventListener('abort', kill, { once: true });
  process.once('exit', kill);
  const [message, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  signal?.removeEventListener('abort', kill);
  process.off('exit', kill);
  signal?.throwIfAborted();
  if (code !== 0) throw new Error(message.trim() || 'cdk synth failed without a message.');
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has already ended.
  }
}
