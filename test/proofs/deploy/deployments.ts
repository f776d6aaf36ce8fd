import { type Context, cdkOf } from './cdk.ts';
import { awsClients, type DeployedStack, readDeployedStack } from './deployed-stack.ts';
import type { Emulator } from './emulator.ts';
import { type Patch, patchedAssembly } from './patched-assembly.ts';
import { withoutMetricMath, withoutRefusedTypes } from './refused-types.ts';
import { patches } from './workarounds.ts';

/** The CDK CLI's commands on one emulator, with a look at what they made. */
export type Deployments = ReturnType<typeof deploymentsTo>;

/**
 * What to deploy: `changed` is the sandbox with another context, for the second deployment; `connected` has credentials for
 * Argyle, `renamed` another name of the subscription as well.
 */
export type Assemblies = Readonly<Record<'sandbox' | 'changed' | 'production' | 'connected' | 'renamed', string>>;

/** Deploys with the work-arounds that change a template; `close` ends the connections to what was deployed. */
export function deploymentsTo(emulator: Emulator) {
  const cdk = cdkOf(emulator);
  const clients = awsClients(emulator);
  const stacks: DeployedStack[] = [];
  const deployPatched = async (assembly: string, applied: readonly Patch[]): Promise<DeployedStack> => {
    const patched = await patchedAssembly(assembly, applied);
    try {
      const stack = await readDeployedStack(emulator, clients, assembly, await cdk.deploy(patched.directory));
      stacks.push(stack);
      return stack;
    } finally {
      await patched.remove();
    }
  };
  return {
    bootstrap: cdk.bootstrap,
    destroy: cdk.destroy,
    clients,
    /** The README's command as it stands. */
    deployAsIs: (context: Context) => cdk.deploy(context),
    /** Without the types that would be refused at once. */
    deployKnownTypes: (assembly: string) => deployPatched(assembly, [withoutRefusedTypes]),
    /** Without any work-around, but for what would be refused. */
    deployUntouched: (assembly: string) => deployPatched(assembly, [withoutRefusedTypes, withoutMetricMath]),
    deploy: (assembly: string, ...more: readonly Patch[]) =>
      deployPatched(assembly, [withoutRefusedTypes, withoutMetricMath, ...patches, ...more]),
    close: () => {
      for (const stack of stacks) stack.close();
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}
