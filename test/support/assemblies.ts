import type { TestProject } from 'vitest/node';
import { synthesize } from '../../local/synthesize.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of each stage's cloud assembly; `inject('assemblies')` in a test. */
    assemblies: { readonly sandbox: string; readonly production: string };
  }
}

/** Synthesizes both stages once, with the real CDK CLI, before the first test. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [sandbox, production] = await Promise.all([
    synthesize({ stage: 'sandbox' }),
    synthesize({ stage: 'production', alarmEmail: 'ops@example.com' }),
  ]);
  project.provide('assemblies', { sandbox: sandbox.directory, production: production.directory });
  return async () => {
    await sandbox.remove();
    await production.remove();
  };
}
