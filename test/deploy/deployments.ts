import { cdkOf, type Outputs } from './cdk.ts';
import { awsClients, type DeployedStack, readDeployedStack } from './deployed-stack.ts';
import type { Emulator } from './emulator.ts';
import { type Patch, patchedAssembly } from './patched-assembly.ts';
import { patches } from './workarounds.ts';

/** The CDK CLI's commands on one emulator, with a look at what they made. */
export type Deployments = ReturnType<typeof deploymentsTo>;

/** What to deploy: `changed` is the sandbox with another context, for the second deployment. */
export type Assemblies = Readonly<Record<'sandbox' | 'changed' | 'production', string>>;

/** Deploys with the work-arounds that change a template; `close` ends the connections to what was deployed. */
export function deploymentsTo(emulator: Emulator) {
  const cdk = cdkOf(emulator);
  const clients = awsClients(emulator);
  const stacks: DeployedStack[] = [];
  const read = async (assembly: string, outputs: Outputs): Promise<DeployedStack> => {
    const stack = await readDeployedStack(emulator, clients, assembly, outputs);
    stacks.push(stack);
    return stack;
  };
  return {
    bootstrap: cdk.bootstrap,
    destroy: cdk.destroy,
    /** The README's command as it stands. The assembly is only read, and has to be of the same context. */
    deployUntouched: async (assembly: string, context: string) =>
      read(assembly, await cdk.deploy('--context', context)),
    deploy: async (assembly: string, ...more: readonly Patch[]): Promise<DeployedStack> => {
      const patched = await patchedAssembly(assembly, [...patches, ...more]);
      try {
        return await read(assembly, await cdk.deploy('--app', patched.directory));
      } finally {
        await patched.remove();
      }
    },
    close: () => {
      for (const stack of stacks) stack.close();
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}
