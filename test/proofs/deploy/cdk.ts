import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pseudoParameters } from '../../../tools/local/template.ts';
import type { Emulator } from './emulator.ts';

/** What a deployed stack says of itself, by the outputs' names. */
export type Outputs = Readonly<Record<string, string>>;

/** What a deployment chooses, as `-c key=value` does. */
export type Context = Readonly<Record<string, string>>;

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** The real CDK CLI, talking to the emulator. Each call throws with what the CLI said when it fails. */
export function cdkOf(emulator: Emulator) {
  const cdk = async (...args: readonly string[]): Promise<void> => {
    const command = ['node_modules/aws-cdk/bin/cdk', '--no-notices', ...args];
    try {
      await promisify(execFile)(process.execPath, command, { cwd: repository, env: environmentFor(emulator) });
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      throw new Error(`cdk ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: error });
    }
  };
  return {
    bootstrap: () => inFolder((folder) => cdk('bootstrap', '--output', folder)),
    /** Deploys as the README says, with a context, or a cloud assembly by its path; gives the stack's outputs. */
    deploy: (what: string | Context): Promise<Outputs> =>
      inFolder(async (folder) => {
        const file = join(folder, 'outputs.json');
        await cdk(
          'deploy',
          ...(typeof what === 'string' ? ['--app', what] : [...choices(what), '--output', join(folder, 'cdk.out')]),
          '--require-approval',
          'never',
          '--outputs-file',
          file,
        );
        const stacks = JSON.parse(await readFile(file, 'utf8')) as Record<string, Outputs>;
        return Object.values(stacks)[0] ?? {};
      }),
    destroy: (assembly: string) => cdk('destroy', '--app', assembly, '--force'),
  };
}

function choices(context: Context): string[] {
  return Object.entries(context).flatMap(([key, value]) => ['--context', `${key}=${value}`]);
}

// Nothing of the machine's own AWS settings: neither its credentials nor its endpoints may be met.
function environmentFor({ endpoint, certificate }: Emulator): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
  return {
    ...Object.fromEntries(others),
    AWS_ENDPOINT_URL: endpoint,
    AWS_CA_BUNDLE: certificate,
    AWS_REGION: pseudoParameters['AWS::Region'],
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    NO_PROXY: '127.0.0.1,localhost',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
  };
}

async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'argyle-cdk-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
