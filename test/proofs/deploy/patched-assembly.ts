import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Assembly } from '../../../tools/local/synthesize.ts';
import { readTemplate } from '../../../tools/local/template.ts';

/** A template as CloudFormation gets it. */
export type TemplateJson = {
  readonly Resources: Readonly<
    // biome-ignore lint/suspicious/noExplicitAny: the properties of a CloudFormation resource are whatever its type says
    Record<string, { readonly Type: string; readonly Properties?: any; readonly UpdatePolicy?: object }>
  >;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
};

/** Changes a template; gives a new one. */
export type Patch = (template: TemplateJson) => TemplateJson;

/** Copies a cloud assembly and changes the copy's template, in a way that the CDK CLI deploys as if it were synthesized. */
export async function patchedAssembly(assembly: string, patches: readonly Patch[]): Promise<Assembly> {
  const directory = await mkdtemp(join(tmpdir(), 'argyle-uploads-patched-'));
  await cp(assembly, directory, { recursive: true });
  const { stackName } = readTemplate(directory);
  const file = (name: string) => join(directory, name);
  const read = (name: string) => readFileSync(file(name), 'utf8');

  const template = JSON.parse(read(`${stackName}.template.json`)) as TemplateJson;
  const patched = JSON.stringify(patches.reduce((changed, patch) => patch(changed), template));
  writeFileSync(file(`${stackName}.template.json`), patched);
  // Uploads are named after what they hold, and what is there already is not uploaded again.
  const { stackTemplateAssetObjectUrl } = JSON.parse(read('manifest.json')).artifacts[stackName].properties;
  const [, hash = ''] = /([0-9a-f]{64})\.json$/.exec(stackTemplateAssetObjectUrl) ?? [];
  const patchedHash = createHash('sha256').update(patched).digest('hex');
  for (const name of ['manifest.json', `${stackName}.assets.json`])
    writeFileSync(file(name), read(name).replaceAll(hash, patchedHash));
  return { directory, remove: () => rm(directory, { recursive: true, force: true }) };
}
