import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { synthesize, withoutStageSettings } from '../../tools/local/synthesize.ts';
import { createTemporaryFolder, type TemporaryFolder } from '../../tools/local/temporary-folder.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of each cloud assembly. A test reads it with `inject('assemblies')`. */
    assemblies: Readonly<Record<AssemblyName, string>>;
  }
}

export type AssemblyName = keyof typeof contexts;

/** The context of each stage without credentials for Argyle. */
export const stageContexts = {
  sandbox: { ...withoutStageSettings, stage: 'sandbox' },
  production: {
    ...withoutStageSettings,
    stage: 'production',
    argyleCredentials: 'none',
    alarmEmail: 'ops@example.com',
  },
} as const;

// `connected` is a sandbox with every option enabled.
const contexts = {
  ...stageContexts,
  connected: {
    ...withoutStageSettings,
    stage: 'sandbox',
    argyleCredentials: 'argyle/api-key',
    silenceHours: '48',
    publishChanges: 'true',
  },
} as const;

const repository = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(repository, 'node_modules/.cache/assemblies');
// Everything that synthesis reads. The lock file represents node_modules.
const sources = ['cdk.json', 'package-lock.json', 'package.json', 'tsconfig.json', 'functions', 'infra'];

/** Provides the assemblies to the tests of a run. */
export default async function setup(project: TestProject): Promise<() => void> {
  const { directory, remove } = await copyAssemblies();
  project.provide('assemblies', assembliesIn(directory));
  return remove;
}

/**
 * Synthesizes each assembly with the real CDK CLI, and caches it in node_modules/.cache until a file changes that synthesis
 * reads. Returns a copy outside of the repository, where a bundle cannot import its packages.
 */
export async function copyAssemblies(): Promise<TemporaryFolder> {
  const cached = join(cache, hashOfSources());
  if (!existsSync(cached)) await synthesizeAll(cached);
  const folder = createTemporaryFolder('argyle-uploads-assemblies-');
  await cp(cached, folder.directory, { recursive: true });
  return folder;
}

/** Returns the assemblies in a folder of `copyAssemblies`. */
export function assembliesIn(folder: string): Readonly<Record<AssemblyName, string>> {
  const entries = Object.keys(contexts).map((name) => [name, join(folder, name)]);
  return Object.fromEntries(entries);
}

function hashOfSources(): string {
  const hash = createHash('sha256').update(JSON.stringify(contexts));
  for (const path of sources.flatMap(filesBelow))
    hash.update(`${relative(repository, path)}\0`).update(readFileSync(path));
  return hash.digest('hex').slice(0, 16);
}

function filesBelow(path: string): string[] {
  if (path.endsWith('.json')) return [join(repository, path)];
  const files = readdirSync(join(repository, path), { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .sort();
}

async function synthesizeAll(target: string): Promise<void> {
  const [sandbox, production, connected] = await Promise.all([
    // The other two contain all of its resources and are validated.
    synthesize(contexts.sandbox, { validation: false }),
    synthesize(contexts.production),
    synthesize(contexts.connected),
  ]);
  rmSync(cache, { recursive: true, force: true });
  const unfinished = `${target}-${process.pid}`;
  for (const [name, { directory, remove }] of Object.entries({ sandbox, production, connected })) {
    await cp(directory, join(unfinished, name), { recursive: true });
    remove();
  }
  renameSync(unfinished, target);
}
