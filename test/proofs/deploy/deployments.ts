import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pseudoParameters } from '../../../tools/local/template.ts';
import { createTemporaryFolder } from '../../../tools/local/temporary-folder.ts';
import { awsClients, type DeployedStack, type Outputs, readDeployedStack } from './deployed-stack.ts';
import type { Emulator } from './emulator.ts';
import { copyPatched, type Patch, withoutMetricMath, withoutRefusedTypes } from './template-patches.ts';
import { patches, repairStack } from './workarounds.ts';

/** The CDK CLI's commands on one emulator. */
export type Deployments = ReturnType<typeof deploymentsTo>;

/** CDK context, as `-c key=value` sets it. */
export type Context = Readonly<Record<string, string>>;

/**
 * Cloud assemblies of both stages, without and with credentials for Argyle. `changed`, `renamed` and `renamedProduction` are
 * later deployments of `sandbox`, `connected` and `connectedProduction`.
 */
export type Assemblies = Readonly<
  Record<
    'sandbox' | 'changed' | 'connected' | 'renamed' | 'production' | 'connectedProduction' | 'renamedProduction',
    string
  >
>;

const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** Creates the commands. The names of those that deploy an assembly state which work-arounds they apply. */
export function deploymentsTo(emulator: Emulator) {
  const clients = awsClients(emulator);
  const stacks: DeployedStack[] = [];
  const cdk = (...words: readonly string[]) => runCdk(emulator, words);
  const deployPatched = async (assembly: string, applied: readonly Patch[]): Promise<DeployedStack> => {
    const outputs = await inFolder(async (folder) => {
      const [patched, file] = [join(folder, 'cdk.out'), join(folder, 'outputs.json')];
      await copyPatched(assembly, patched, applied);
      await cdk('deploy', '--app', patched, '--require-approval', 'never', '--outputs-file', file);
      return Object.values(JSON.parse(await readFile(file, 'utf8')) as Record<string, Outputs>)[0] ?? {};
    });
    const stack = await readDeployedStack(emulator, clients, assembly, outputs);
    stacks.push(stack);
    return stack;
  };
  const deploy = (assembly: string, ...more: readonly Patch[]) =>
    deployPatched(assembly, [withoutRefusedTypes, withoutMetricMath, ...patches, ...more]);
  return {
    clients,
    bootstrap: () => inFolder((folder) => cdk('bootstrap', '--output', folder)),
    /** Runs the README's command. */
    deployContext: (context: Context) =>
      inFolder((folder) => {
        const choices = Object.entries(context).flatMap(([key, value]) => ['--context', `${key}=${value}`]);
        return cdk('deploy', ...choices, '--output', folder, '--require-approval', 'never');
      }),
    deployKnownTypes: (assembly: string) => deployPatched(assembly, [withoutRefusedTypes]),
    deployWithoutWorkarounds: (assembly: string) => deployPatched(assembly, [withoutRefusedTypes, withoutMetricMath]),
    /** Deploys a stack for the first time, with all work-arounds. */
    deployNew: async (assembly: string) => repairStack(await deploy(assembly)),
    /** Deploys a change, with all work-arounds. */
    deploy,
    destroy: (assembly: string) => cdk('destroy', '--app', assembly, '--force'),
    /** Closes the connections to the deployed stacks. */
    close: () => {
      for (const stack of stacks) stack.close();
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}

// Throws with the output of the CLI.
async function runCdk(emulator: Emulator, words: readonly string[]): Promise<void> {
  const command = ['node_modules/aws-cdk/bin/cdk', '--no-notices', ...words];
  try {
    await promisify(execFile)(process.execPath, command, { cwd: repository, env: cdkEnvironment(emulator) });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`cdk ${words.join(' ')}\n${stdout}\n${stderr}`, { cause: error });
  }
}

// Without the machine's own AWS settings: the CLI must not use its credentials or endpoints.
function cdkEnvironment({ endpoint, certificate }: Emulator): NodeJS.ProcessEnv {
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
  const { directory, remove } = createTemporaryFolder('argyle-cdk-');
  try {
    return await work(directory);
  } finally {
    remove();
  }
}
