import { describe, expect, test } from 'vitest';
import { environment } from '../../functions/aws/environment.ts';
import { eventTypes } from '../../functions/domain/events.ts';
import { reconciliationMetrics } from '../../functions/domain/metric-names.ts';
import { readStack, stages, targetOf, variablesOf } from '../support/synthesized-stack.ts';

describe('reconciliation, with credentials for Argyle', () => {
  const stack = readStack('connected');
  const schedule = () => stack.one('AWS::Scheduler::Schedule');
  const lambda = () =>
    stack.one('AWS::Lambda::Function', ({ id }) => id === targetOf(schedule().Properties.Target.Arn));
  const state = () => stack.one('AWS::DynamoDB::Table', ({ id }) => id !== stack.table().id);
  const allowed = () =>
    stack
      .statementsOf(lambda())
      .filter(({ actions }) => !actions.some((action) => action.startsWith('logs:')))
      .map(({ actions, resources }) => [[...actions].sort(), resources]);
  const alarms = () =>
    stack
      .all('AWS::CloudWatch::Alarm')
      .map(({ Properties }) => Properties)
      .filter(({ AlarmName }) => AlarmName.startsWith(`${stack.name}/argyle/`));

  test('is started once a day, with nothing to say', () => {
    expect(schedule().Properties).toMatchObject({
      ScheduleExpression: 'rate(24 hours)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: { Input: '{}' },
    });
  });

  test("the schedule's role may invoke this function and nothing else, and only for this account", () => {
    const role = stack.one('AWS::IAM::Role', ({ id }) => id === targetOf(schedule().Properties.Target.RoleArn));
    expect(role.Properties.AssumeRolePolicyDocument.Statement).toEqual([
      {
        Action: 'sts:AssumeRole',
        Effect: 'Allow',
        Principal: { Service: 'scheduler.amazonaws.com' },
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      },
    ]);
    const policies = stack
      .all('AWS::IAM::Policy')
      .filter(({ Properties }) => Properties.Roles.map(targetOf).includes(role.id));
    expect(policies.map(({ Properties }) => Properties.PolicyDocument.Statement)).toEqual([
      [{ Action: 'lambda:InvokeFunction', Effect: 'Allow', Resource: { 'Fn::GetAtt': [lambda().id, 'Arn'] } }],
    ]);
  });

  test('may read the records, keep its own state, send to the queues of events, read the key, and invoke itself', () => {
    const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
    expect(allowed()).toHaveLength(5);
    expect(allowed()).toContainEqual([['dynamodb:BatchGetItem', 'dynamodb:Scan'], [arn(stack.table().id)]]);
    expect(allowed()).toContainEqual([
      ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      [arn(state().id)],
    ]);
    expect(allowed()).toContainEqual([['lambda:InvokeFunction'], [arn(lambda().id)]]);
    expect(allowed()).toContainEqual([
      ['sqs:SendMessage'],
      expect.toSatisfy((resources: unknown[]) => {
        const queues = eventTypes.map((event) => stack.queue(event).id);
        return resources.map(targetOf).sort().join() === queues.sort().join();
      }),
    ]);
    expect(allowed()).toContainEqual([['secretsmanager:GetSecretValue'], [expect.anything()]]);
  });

  test('has 15 minutes and may go on in another invocation more often than Lambda lets others', () => {
    expect(lambda().Properties).toMatchObject({ Timeout: 900, MemorySize: 512, RecursiveLoop: 'Allow' });
    const others = stack.all('AWS::Lambda::Function').filter(({ Properties }) => Properties.RecursiveLoop);
    expect(others).toHaveLength(1);
  });

  test('knows the tables and every queue by its variables', () => {
    expect(variablesOf(lambda())).toMatchObject({
      [environment.tableName]: { Ref: stack.table().id },
      [environment.stateTableName]: { Ref: state().id },
    });
  });

  test('raises an alarm when it holds removals, and when it fails, dies or runs out of time', () => {
    expect(alarms()).toContainEqual(
      expect.objectContaining({
        Namespace: stack.name,
        MetricName: reconciliationMetrics.held,
        Dimensions: [{ Name: 'service', Value: 'reconciliation' }],
        Statistic: 'Sum',
        Threshold: 1,
      }),
    );
    expect(alarms()).toContainEqual(
      expect.objectContaining({
        Namespace: 'AWS/Lambda',
        MetricName: 'Errors',
        Dimensions: [{ Name: 'FunctionName', Value: { Ref: lambda().id } }],
        Statistic: 'Sum',
        Threshold: 1,
      }),
    );
  });
});

describe.each(stages)('without credentials, in %s', (stage) => {
  test('there is no schedule, and nothing invokes a function but its sources', () => {
    const stack = readStack(stage);
    expect(stack.all('AWS::Scheduler::Schedule')).toEqual([]);
    expect(stack.all('AWS::Lambda::Function')).toHaveLength(eventTypes.length + 1);
    expect(JSON.stringify(stack.all('AWS::IAM::Policy'))).not.toContain('lambda:InvokeFunction');
  });
});
