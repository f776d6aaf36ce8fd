import type { Template } from '../../../tools/local/template.ts';
import type { Patch, TemplateJson } from './patched-assembly.ts';

/**
 * Resource types with which MiniStack refuses a template ("Unrecognized resource types"), seen with MiniStack 1.5.33 on
 * 2026-11-24. They are left out of what is deployed to it. The run fails once it knows one of them.
 */
export const refusedTypes: readonly string[] = [
  'AWS::CodeDeploy::Application',
  'AWS::CodeDeploy::DeploymentGroup',
  'AWS::Logs::QueryDefinition',
  'AWS::SecretsManager::RotationSchedule',
];

/** Those of them that a template has. */
export function refusedTypesIn({ ofType }: Pick<Template, 'ofType'>): readonly string[] {
  return refusedTypes.filter((type) => ofType(type).length > 0);
}

/** Leaves out what MiniStack refuses, and with CodeDeploy's deployment groups the aliases' policies that name them. */
export const withoutRefusedTypes: Patch = (template) => ({
  ...template,
  Resources: Object.fromEntries(
    Object.entries(template.Resources)
      .filter(([, { Type }]) => !refusedTypes.includes(Type))
      .map(([id, { UpdatePolicy: _, ...resource }]) => [id, resource]),
  ),
});

/** What MiniStack 1.5.33 says of an alarm with metric math, seen on 2026-11-24. The run fails once it takes one. */
export const refusesMetricMath = /Metrics \(metric math\) is not supported/;

/** Lets an alarm with metric math watch the first of its metrics: here nobody asks when it fires. */
export const withoutMetricMath: Patch = (template) => ({
  ...template,
  Resources: Object.fromEntries(
    Object.entries(template.Resources).map(([id, resource]) => [id, withOneMetric(resource)]),
  ),
});

function withOneMetric(resource: TemplateJson['Resources'][string]): TemplateJson['Resources'][string] {
  const { Metrics, ...properties } = resource.Properties ?? {};
  if (resource.Type !== 'AWS::CloudWatch::Alarm' || !Metrics) return resource;
  const { MetricStat } = Metrics.find((metric: { readonly MetricStat?: object }) => metric.MetricStat);
  const { Metric, Period, Stat: Statistic } = MetricStat;
  return { ...resource, Properties: { ...properties, ...Metric, Period, Statistic } };
}

/** The types that a refused deployment names. */
export function typesRefusedBy(error: unknown): readonly string[] {
  const [, types = ''] = /Unrecognized resource types: \[([^\]]*)\]/.exec(String((error as Error).message)) ?? [];
  return types
    .split(',')
    .map((type) => type.trim())
    .filter((type) => type !== '')
    .sort();
}
