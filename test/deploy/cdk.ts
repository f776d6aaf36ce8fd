import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pseudoParameters } from '../../local/template.ts';
import type { Emulator } from './emulator.ts';

/** What a deployed stack says of itself, by the outputs' names. */
export type Outputs = Readonly<Record<string, string>>;

const repository = fileURLToPath(new URL('../..', import.meta.url));

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
    /** Deploys as the README says, with `--context`, or a cloud assembly with `--app`; gives the stack's outputs. */
    deploy: (...what: readonly ['--context' | '--app', string]): Promise<Outputs> =>
      inFolder(async (folder) => {
        const output = what[0] === '--context' ? ['--output', join(folder, 'cdk.out')] : [];
        const file = join(folder, 'outputs.json');
        await cdk('deploy', ...what, ...output, '--require-approval', 'never', '--outputs-file', file);
        const stacks = JSON.parse(await readFile(file, 'utf8')) as Record<string, Outputs>;
        return Object.values(stacks)[0] ?? {};
      }),
    destroy: (assembly: string) => cdk('destroy', '--app', assembly, '--force'),
  };
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
