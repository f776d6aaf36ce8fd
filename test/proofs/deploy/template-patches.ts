import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { readTemplate, type Template } from '../../../tools/local/template.ts';

// biome-ignore lint/suspicious/noExplicitAny: the properties of a CloudFormation resource depend on its type
type Resource = { readonly Type: string; readonly Properties?: any; readonly UpdatePolicy?: object };

/** The part of a CloudFormation template that patches change. */
export type TemplateJson = { readonly Resources: Readonly<Record<string, Resource>> };

/** Returns a changed copy of a template. */
export type Patch = (template: TemplateJson) => TemplateJson;

/**
 * Resource types for which MiniStack refuses a template ("Unrecognized resource types"), seen with MiniStack 1.5.33 on
 * 2026-11-24. They are removed from what is deployed to it. The proof fails once MiniStack knows one of them.
 */
export const refusedTypes: readonly string[] = [
  'AWS::CodeDeploy::Application',
  'AWS::CodeDeploy::DeploymentGroup',
  'AWS::Logs::QueryDefinition',
  'AWS::SecretsManager::RotationSchedule',
];

/** MiniStack 1.5.33's error for an alarm with metric math, seen on 2026-11-24. The proof fails once MiniStack accepts one. */
export const refusesMetricMath = /Metrics \(metric math\) is not supported/;

/** Returns the refused types that a template contains. */
export function refusedTypesIn({ ofType }: Pick<Template, 'ofType'>): readonly string[] {
  return refusedTypes.filter((type) => ofType(type).length > 0);
}

/** Returns the types that the error of a refused deployment names. */
export function typesRefusedBy(error: unknown): readonly string[] {
  const [, types = ''] = /Unrecognized resource types: \[([^\]]*)\]/.exec(String((error as Error)?.message)) ?? [];
  return types === '' ? [] : types.split(/\s*,\s*/).sort();
}

/** Removes the refused types, and the update policies of aliases, which name CodeDeploy's deployment groups. */
export const withoutRefusedTypes: Patch = patchResources(({ UpdatePolicy: _, ...resource }) =>
  refusedTypes.includes(resource.Type) ? undefined : resource,
);

/** Replaces the metric math of an alarm with its first metric. The proof does not check when alarms fire. */
export const withoutMetricMath: Patch = patchResources((resource) => {
  const { Metrics, ...properties } = resource.Properties ?? {};
  if (resource.Type !== 'AWS::CloudWatch::Alarm' || !Metrics) return resource;
  const { MetricStat } = Metrics.find((metric: { readonly MetricStat?: object }) => metric.MetricStat);
  const { Metric, Period, Stat: Statistic } = MetricStat;
  return { ...resource, Properties: { ...properties, ...Metric, Period, Statistic } };
});

/** Replaces every policy of a role with one that denies everything. */
export const denyAll: Patch = patchResources((resource) => {
  const PolicyDocument = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] };
  const isPolicy = resource.Type === 'AWS::IAM::Policy';
  return isPolicy ? { ...resource, Properties: { ...resource.Properties, PolicyDocument } } : resource;
});

/** Copies a cloud assembly and patches the copy's template. The CDK CLI deploys the copy like a synthesized assembly. */
export async function copyPatched(assembly: string, directory: string, patches: readonly Patch[]): Promise<void> {
  await cp(assembly, directory, { recursive: true });
  const { stackName } = readTemplate(directory);
  const pathOf = (name: string) => join(directory, name);
  const read = (name: string) => readFileSync(pathOf(name), 'utf8');

  const template = JSON.parse(read(`${stackName}.template.json`)) as TemplateJson;
  const patched = JSON.stringify(patches.reduce((changed, patch) => patch(changed), template));
  writeFileSync(pathOf(`${stackName}.template.json`), patched);
  // Assets are named after the hash of their content, and the CLI does not upload an existing name again.
  const { stackTemplateAssetObjectUrl } = JSON.parse(read('manifest.json')).artifacts[stackName].properties;
  const [, hash = ''] = /([0-9a-f]{64})\.json$/.exec(stackTemplateAssetObjectUrl) ?? [];
  const patchedHash = createHash('sha256').update(patched).digest('hex');
  for (const name of ['manifest.json', `${stackName}.assets.json`])
    writeFileSync(pathOf(name), read(name).replaceAll(hash, patchedHash));
}

// `change` returns undefined for a resource to remove.
function patchResources(change: (resource: Resource) => Resource | undefined): Patch {
  return (template) => {
    const resources = Object.entries(template.Resources).flatMap(([id, resource]) => {
      const changed = change(resource);
      return changed ? [[id, changed]] : [];
    });
    return { ...template, Resources: Object.fromEntries(resources) };
  };
}
