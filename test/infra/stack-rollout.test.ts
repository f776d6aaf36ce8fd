import { describe, expect, test } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import { type Resource, readStack, stages, targetOf } from '../support/synthesized-stack.ts';

describe.each(stages)('in %s', (stage) => {
  const stack = readStack(stage);
  const released = [stack.ingest(), ...eventTypes.map((event) => stack.worker(event))];

  test('ingest and each worker have an alias on a version of their own', () => {
    const versions = released.map((lambda) => {
      const [id, attribute] = stack.aliasOf(lambda).Properties.FunctionVersion['Fn::GetAtt'];
      return [
        targetOf(stack.one('AWS::Lambda::Version', (version) => version.id === id).Properties.FunctionName),
        attribute,
      ];
    });
    expect(versions).toEqual(released.map(({ id }) => [id, 'Version']));
  });

  test('another code or configuration makes another version', () => {
    // CDK puts a hash of both at the end of the logical id.
    const ids = stack.all('AWS::Lambda::Version').map(({ id }) => id);
    expect(ids.filter((id) => !/[0-9a-f]{32}$/.test(id))).toEqual([]);
    expect(new Set(ids.map((id) => id.slice(-32))).size).toBe(released.length);
  });
});

describe('in production', () => {
  const stack = readStack('production');
  const groupOf = (lambda: Resource) => {
    const { CodeDeployLambdaAliasUpdate: update } = Object(stack.aliasOf(lambda)).UpdatePolicy;
    const group = stack.one(
      'AWS::CodeDeploy::DeploymentGroup',
      ({ id }) => id === targetOf(update.DeploymentGroupName),
    );
    expect(group.Properties.ApplicationName).toEqual(update.ApplicationName);
    return group;
  };
  const alarmsOf = (lambda: Resource) =>
    groupOf(lambda).Properties.AlarmConfiguration.Alarms.map(
      ({ Name }: { Name: unknown }) =>
        stack.one('AWS::CloudWatch::Alarm', ({ id }) => id === targetOf(Name)).Properties.AlarmName,
    );
  const released = [stack.ingest(), ...eventTypes.map((event) => stack.worker(event))];
  const role = () =>
    stack.one('AWS::IAM::Role', ({ id }) => id === targetOf(groupOf(stack.ingest()).Properties.ServiceRoleArn));

  test.each(released)('$id: a tenth of the calls for ten minutes, then all', (lambda) => {
    expect(groupOf(lambda).Properties.DeploymentConfigName).toBe('CodeDeployDefault.LambdaCanary10Percent10Minutes');
  });

  test.each(released)(
    '$id is taken back when an alarm fires, and when the deployment fails or is stopped',
    (lambda) => {
      const { AlarmConfiguration, AutoRollbackConfiguration } = groupOf(lambda).Properties;
      expect(AlarmConfiguration.Enabled).toBe(true);
      expect(AutoRollbackConfiguration).toEqual({
        Enabled: true,
        Events: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_REQUEST', 'DEPLOYMENT_STOP_ON_ALARM'],
      });
    },
  );

  test('the canary lasts longer than the periods of the alarms that watch it', () => {
    const periods = stack
      .all('AWS::CloudWatch::Alarm')
      .filter(({ Properties }) => released.flatMap(alarmsOf).includes(Properties.AlarmName))
      .flatMap(({ Properties }) => Properties.Period ?? Properties.Metrics.flatMap(periodOf));
    expect(Math.max(...periods)).toBeLessThan(600);
  });

  test('ingest is watched by its 5xx', () => {
    expect(alarmsOf(stack.ingest())).toEqual([`${stack.name}/ingest/server-errors`]);
  });

  test.each(eventTypes)(
    'the worker of %s is watched by its dead letters, and by its errors and failed records',
    (event) => {
      expect(alarmsOf(stack.worker(event))).toEqual([
        `${stack.name}/${event}/dead-letters`,
        `${stack.name}/${event}/worker-errors`,
      ]);
    },
  );

  test('CodeDeploy may move these aliases and read alarms, and nothing else', () => {
    const allowed = stack.statementsOfRole(role()).map(({ actions, resources }) => [actions, resources.length]);
    expect(allowed).toEqual([
      [['lambda:GetAlias', 'lambda:GetProvisionedConcurrencyConfig', 'lambda:UpdateAlias'], 2 * released.length],
      [['cloudwatch:DescribeAlarms'], 1],
    ]);
    expect(role().Properties).not.toHaveProperty('ManagedPolicyArns');
  });

  test("only this account's deployments may act with its role", () => {
    expect(role().Properties.AssumeRolePolicyDocument.Statement).toMatchObject([
      {
        Principal: { Service: 'codedeploy.amazonaws.com' },
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      },
    ]);
  });

  test('its permissions are there before the first deployment', () => {
    const dependencies = released.map((lambda) => Object(groupOf(lambda)).DependsOn);
    const policy = stack.one('AWS::IAM::Policy', ({ Properties }) =>
      Properties.Roles.map(targetOf).includes(role().id),
    );
    expect(dependencies).toEqual(dependencies.map(() => [policy.id]));
  });
});

test('in sandbox all calls go to a new version at once, and no alarm is asked', () => {
  const stack = readStack('sandbox');
  stack.template.resourceCountIs('AWS::CodeDeploy::DeploymentGroup', 0);
  expect(stack.all('AWS::Lambda::Alias').filter((alias) => 'UpdatePolicy' in alias)).toEqual([]);
});

function periodOf({ MetricStat }: { readonly MetricStat?: { readonly Period: number } }): readonly number[] {
  return MetricStat ? [MetricStat.Period] : [];
}
