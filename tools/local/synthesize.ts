import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** A cloud assembly outside of the repository, where neither its package.json nor its node_modules can help a bundle. */
export type Assembly = {
  readonly directory: string;
  readonly remove: () => Promise<void>;
};

const repository = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Synthesizes the stack of a stage with the CDK CLI, as `cdk deploy` does, into a temporary folder.
 * Throws with what the CLI said when it refuses. Without `validation` it does not hold the template against CloudFormation's
 * rules, which takes as long as all the rest: the template is the same.
 */
export async function synthesize(
  context: Readonly<Record<string, string>>,
  { validation = true }: { readonly validation?: boolean } = {},
): Promise<Assembly> {
  const directory = await mkdtemp(join(tmpdir(), 'argyle-uploads-'));
  const remove = () => rm(directory, { recursive: true, force: true });
  const choices = Object.entries(context).flatMap(([key, value]) => ['--context', `${key}=${value}`]);
  if (!validation) choices.push('--no-validation');
  try {
    await promisify(execFile)(
      process.execPath,
      ['node_modules/aws-cdk/bin/cdk', 'synth', '--quiet', '--no-notices', '--output', directory, ...choices],
      { cwd: repository, env: { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true' } },
    );
  } catch (error) {
    await remove();
    const said = (error as { stderr?: string }).stderr?.trim();
    throw new Error(said || 'cdk synth failed and did not say why.', { cause: error });
  }
  return { directory, remove };
}
