import { describe, expect, test } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import { type Resource, readStack, stages } from '../support/synthesized-stack.ts';

describe.each(stages)('in %s', (stage) => {
  const stack = readStack(stage);
  const released = [stack.ingest(), ...eventTypes.map((event) => stack.worker(event))];

  test.each(released)('$id has an alias on its own version', (lambda) => {
    const version = stack.at('AWS::Lambda::Version', stack.aliasOf(lambda).Properties.FunctionVersion);
    expect(version.Properties.FunctionName).toEqual({ Ref: lambda.id });
    expect(stack.aliasOf(lambda).Properties.FunctionVersion).toEqual({ 'Fn::GetAtt': [version.id, 'Version'] });
  });

  test('a change of code or configuration creates a new version', () => {
    // CDK appends a hash of both to the logical id.
    const hashes = stack.all('AWS::Lambda::Version').map(({ id }) => /[0-9a-f]{32}$/.exec(id)?.[0]);
    expect(hashes).not.toContain(undefined);
    expect(new Set(hashes).size).toBe(released.length);
  });
});

describe('in production', () => {
  const stack = readStack('production');
  const groupOf = (lambda: Resource) => {
    const { CodeDeployLambdaAliasUpdate: update } = Object(stack.aliasOf(lambda)).UpdatePolicy;
    const group = stack.at('AWS::CodeDeploy::DeploymentGroup', update.DeploymentGroupName);
    expect(group.Properties.ApplicationName).toEqual(update.ApplicationName);
    return group;
  };
  const alarmsOf = (lambda: Resource): Resource['Properties'][] =>
    groupOf(lambda).Properties.AlarmConfiguration.Alarms.map(
      ({ Name }: { Name: unknown }) => stack.at('AWS::CloudWatch::Alarm', Name).Properties,
    );
  const workers = eventTypes.map((event) => ({ event, worker: stack.worker(event) }));
  const released = [stack.ingest(), ...workers.map(({ worker }) => worker)];

  test.each(released)('$id: the new version gets a tenth of the calls for ten minutes, or is rolled back', (lambda) => {
    expect(groupOf(lambda).Properties).toMatchObject({
      DeploymentConfigName: 'CodeDeployDefault.LambdaCanary10Percent10Minutes',
      AlarmConfiguration: { Enabled: true },
      AutoRollbackConfiguration: {
        Enabled: true,
        Events: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_REQUEST', 'DEPLOYMENT_STOP_ON_ALARM'],
      },
    });
  });

  test('the 5xx alarm rolls ingest back', () => {
    expect(alarmsOf(stack.ingest())).toEqual([stack.alarm('ingest', 'server-errors')]);
  });

  test.each(workers)('dead letters and worker errors roll the worker of $event back', ({ event, worker }) => {
    expect(alarmsOf(worker)).toEqual([stack.alarm(event, 'dead-letters'), stack.alarm(event, 'worker-errors')]);
  });

  test("the canary takes longer than the alarms' periods", () => {
    const periods = released
      .flatMap(alarmsOf)
      .flatMap(({ Period, Metrics = [] }) => [{ Period }, ...Metrics.map(({ MetricStat = {} }) => MetricStat)])
      .flatMap(({ Period = [] }) => Period);
    expect(periods.length).toBeGreaterThan(released.length);
    expect(Math.max(...periods)).toBeLessThan(600);
  });

  test("CodeDeploy's permissions exist before the first deployment", () => {
    const role = stack.at('AWS::IAM::Role', groupOf(stack.ingest()).Properties.ServiceRoleArn);
    const policies = stack.policiesOf(role).map(({ id }) => id);
    expect(policies).toHaveLength(1);
    for (const lambda of released) expect(Object(groupOf(lambda)).DependsOn).toEqual(policies);
  });
});

test('in sandbox all calls use a new version at once', () => {
  const stack = readStack('sandbox');
  stack.template.resourceCountIs('AWS::CodeDeploy::DeploymentGroup', 0);
  expect(stack.all('AWS::Lambda::Alias').filter((alias) => 'UpdatePolicy' in alias)).toEqual([]);
});
