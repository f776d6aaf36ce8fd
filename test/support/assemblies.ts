import type { TestProject } from 'vitest/node';
import { synthesize } from '../../tools/local/synthesize.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of each cloud assembly; `inject('assemblies')` in a test. */
    assemblies: Readonly<Record<AssemblyName, string>>;
  }
}

export type AssemblyName = keyof typeof contexts;

// `connected` is a sandbox with all that can be switched on; the plain stages have no credentials for Argyle.
const contexts = {
  sandbox: { stage: 'sandbox' },
  production: { stage: 'production', alarmEmail: 'ops@example.com' },
  connected: { stage: 'sandbox', argyleCredentials: 'argyle/api-key', silenceHours: '48', publishChanges: 'true' },
} as const;

/** Synthesizes each once, with the real CDK CLI, before the first test. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [sandbox, production, connected] = await Promise.all([
    // All that is in it is in the others too, which are validated.
    synthesize(contexts.sandbox, { validation: false }),
    synthesize(contexts.production),
    synthesize(contexts.connected),
  ]);
  project.provide('assemblies', {
    sandbox: sandbox.directory,
    production: production.directory,
    connected: connected.directory,
  });
  return async () => {
    for (const assembly of [sandbox, production, connected]) await assembly.remove();
  };
}
