import { expect, test } from 'vitest';
import {
  refusedTypes,
  refusedTypesIn,
  typesRefusedBy,
  withoutMetricMath,
  withoutRefusedTypes,
} from './template-patches.ts';

test('reads the refused types from the error of the CDK CLI', () => {
  const error = new Error('cdk deploy\nTemplate format error: Unrecognized resource types: [AWS::B::C, AWS::A::B]\n');
  expect(typesRefusedBy(error)).toEqual(['AWS::A::B', 'AWS::B::C']);
});

test.each([new Error('The stack cannot be deleted'), undefined])('finds no type in %s', (error) => {
  expect(typesRefusedBy(error)).toEqual([]);
});

test('removes the refused types and nothing else', () => {
  const [Type = ''] = refusedTypes;
  const Queue = { Type: 'AWS::SQS::Queue' };
  const patched = withoutRefusedTypes({ Resources: { Query: { Type }, Queue } });
  expect(patched.Resources).toEqual({ Queue });
});

test('a template is refused only for the types that it contains', () => {
  const [first = '', ...others] = refusedTypes;
  expect(others).not.toEqual([]);
  const resource = { logicalId: 'Query', type: first, properties: {} };
  expect(refusedTypesIn({ ofType: (type) => (type === first ? [resource] : []) })).toEqual([first]);
});

test('removes the update policy of an alias together with its deployment group', () => {
  const alias = { Type: 'AWS::Lambda::Alias', Properties: { Name: 'live' } };
  const UpdatePolicy = { CodeDeployLambdaAliasUpdate: { DeploymentGroupName: { Ref: 'Group' } } };
  const patched = withoutRefusedTypes({ Resources: { alias: { ...alias, UpdatePolicy } } });
  expect(patched.Resources).toEqual({ alias });
});

test('an alarm with metric math watches its first metric, and any other alarm is unchanged', () => {
  const MetricStat = { Metric: { Namespace: 'N', MetricName: 'M', Dimensions: [] }, Period: 60, Stat: 'Sum' };
  const other = { Type: 'AWS::CloudWatch::Alarm', Properties: { MetricName: 'M', Threshold: 1 } };
  const math = { ...other, Properties: { Metrics: [{ Expression: 'a + b' }, { MetricStat }], Threshold: 1 } };
  const { Resources } = withoutMetricMath({ Resources: { math, other } });
  const Properties = { ...MetricStat.Metric, Period: 60, Statistic: 'Sum', Threshold: 1 };
  expect(Resources).toEqual({ math: { ...math, Properties }, other });
});
