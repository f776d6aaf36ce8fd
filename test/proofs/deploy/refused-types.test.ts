import { expect, test } from 'vitest';
import {
  refusedTypes,
  refusedTypesIn,
  typesRefusedBy,
  withoutMetricMath,
  withoutRefusedTypes,
} from './refused-types.ts';

test('the types that a deployment was refused for are read from what the CDK CLI says', () => {
  const error = new Error('cdk deploy\nTemplate format error: Unrecognized resource types: [AWS::B::C, AWS::A::B]\n');
  expect(typesRefusedBy(error)).toEqual(['AWS::A::B', 'AWS::B::C']);
});

test('another refusal names no type', () => {
  expect(typesRefusedBy(new Error('The stack cannot be deleted'))).toEqual([]);
});

test('what the emulator refuses is left out, and nothing else', () => {
  const [Type = ''] = refusedTypes;
  const Queue = { Type: 'AWS::SQS::Queue' };
  const patched = withoutRefusedTypes({ Resources: { Query: { Type }, Queue }, Outputs: {} });
  expect(patched.Resources).toEqual({ Queue });
});

test('of what the emulator refuses, a template is refused for what it has', () => {
  const [first = '', ...others] = refusedTypes;
  expect(others).not.toEqual([]);
  const resource = { logicalId: 'Query', type: first, properties: {} };
  expect(refusedTypesIn({ ofType: (type) => (type === first ? [resource] : []) })).toEqual([first]);
});

test('an alias whose rollout is left out names it no more', () => {
  const alias = { Type: 'AWS::Lambda::Alias', Properties: { Name: 'live' } };
  const UpdatePolicy = { CodeDeployLambdaAliasUpdate: { DeploymentGroupName: { Ref: 'Group' } } };
  const patched = withoutRefusedTypes({ Resources: { alias: { ...alias, UpdatePolicy } }, Outputs: {} });
  expect(patched.Resources).toEqual({ alias });
});

test('an alarm with metric math watches its first metric, and any other stays as it is', () => {
  const MetricStat = { Metric: { Namespace: 'N', MetricName: 'M', Dimensions: [] }, Period: 60, Stat: 'Sum' };
  const other = { Type: 'AWS::CloudWatch::Alarm', Properties: { MetricName: 'M', Threshold: 1 } };
  const math = { ...other, Properties: { Metrics: [{ Expression: 'a + b' }, { MetricStat }], Threshold: 1 } };
  const { Resources } = withoutMetricMath({ Resources: { math, other }, Outputs: {} });
  const Properties = { ...MetricStat.Metric, Period: 60, Statistic: 'Sum', Threshold: 1 };
  expect(Resources).toEqual({ math: { ...math, Properties }, other });
});
