import { describe, expect, test } from 'vitest';
import { environment } from '../../functions/aws/environment.ts';
import { leasedWorkMs } from '../../functions/aws/lease.ts';
import { events, eventTypes } from '../../functions/domain/events.ts';
import { reconciliationMetrics, reconciliationService } from '../../functions/domain/metric-names.ts';
import { removalSlot } from '../../functions/domain/upload-record.ts';
import { rotationStepMs } from '../../functions/rotation/handler.ts';
import { subscriptionWorkMs } from '../../functions/subscription/handler.ts';
import { readStack, stages, targetOf, variablesOf } from '../support/synthesized-stack.ts';

const argyleVariables = {
  [environment.argyleApiUrl]: 'https://api-sandbox.argyle.com/v2',
  [environment.argyleCredentialsId]: 'argyle/api-key',
};

describe('with credentials for Argyle', () => {
  const stack = readStack('connected');
  const lambda = (reference: unknown) => stack.at('AWS::Lambda::Function', reference);
  const secret = { Ref: stack.secret().id };
  const subscription = stack.one('Custom::ArgyleSubscription');
  const rotation = stack.one('AWS::SecretsManager::RotationSchedule');
  const schedule = stack.one('AWS::Scheduler::Schedule').Properties;
  const subscriber = lambda(subscription.Properties.ServiceToken);
  const rotator = lambda(rotation.Properties.RotationLambdaARN);
  const reconciliation = lambda(schedule.Target.Arn);
  const mayRotate = stack.one(
    'AWS::Lambda::Permission',
    ({ Properties }) => Properties.Principal === 'secretsmanager.amazonaws.com',
  );

  test.each(eventTypes)('the worker of %s calls Argyle unless the document is removed', (event) => {
    const isRemoval = events[event].slot === removalSlot;
    if (isRemoval) expect(variablesOf(stack.worker(event))).not.toHaveProperty(environment.argyleCredentialsId);
    else expect(variablesOf(stack.worker(event))).toMatchObject(argyleVariables);
  });

  test('state is in its own table with expiry, whose name the three functions that use it know', () => {
    expect(stack.stateTable().Properties).toMatchObject({
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
    const using = stack
      .all('AWS::Lambda::Function')
      .filter((each) => targetOf(variablesOf(each)[environment.stateTableName]) === stack.stateTable().id);
    expect(using.map(({ id }) => id).sort()).toEqual([subscriber.id, rotator.id, reconciliation.id].sort());
  });

  test("the subscription has the stack's URL, the configured name and the events of the catalogue", () => {
    const { url, name, events: subscribed, apiUrl, credentials } = subscription.Properties;
    expect({ url, name, subscribed, apiUrl, credentials }).toEqual({
      url: stack.outputs.WebhookUrl.Value,
      name: 'argyle-uploads-sandbox',
      subscribed: eventTypes,
      // A change of these two must also invoke the function.
      apiUrl: 'https://api-sandbox.argyle.com/v2',
      credentials: 'argyle/api-key',
    });
  });

  test('the subscription is created after everything that its deliveries need, and deleted before it', () => {
    const functions = [stack.ingest(), subscriber];
    const policies = functions.flatMap((each) => stack.policiesOf(stack.roleOf(each)));
    const needed = [...functions, ...policies, ...stack.all('AWS::ApiGatewayV2::Route')].map(({ id }) => id);
    expect(subscription.DependsOn).toEqual(expect.arrayContaining(needed));
  });

  test('the secret is rotated every 90 days, not during a deployment, and only once there is a subscription', () => {
    expect(rotation.Properties).toMatchObject({
      SecretId: secret,
      RotationRules: { AutomaticallyAfterDays: 90 },
      RotateImmediatelyOnUpdate: false,
    });
    expect(rotation.DependsOn).toEqual(expect.arrayContaining([subscription.id, mayRotate.id]));
  });

  test('Secrets Manager may invoke the rotation only for this secret of this account', () => {
    const { Action, FunctionName, SourceAccount, SourceArn } = mayRotate.Properties;
    expect({ Action, SourceAccount, SourceArn }).toEqual({
      Action: 'lambda:InvokeFunction',
      SourceAccount: { Ref: 'AWS::AccountId' },
      SourceArn: secret,
    });
    expect(targetOf(FunctionName)).toBe(rotator.id);
  });

  test('each function has time for its work, and CloudFormation waits for the function and its retries', () => {
    const answerMs = 3 * 5_000 + 2 * 1_000;
    const timeoutMs = subscriber.Properties.Timeout * 1_000;
    expect(timeoutMs).toBeGreaterThan(subscriptionWorkMs + answerMs);
    expect(Number(subscription.Properties.ServiceTimeout) * 1_000).toBeGreaterThan(3 * timeoutMs);
    // Enough time for the lease of a crashed owner to expire, and then for the work.
    expect(subscriptionWorkMs).toBeGreaterThanOrEqual(2 * leasedWorkMs + 15_000);
    expect(rotator.Properties.Timeout * 1_000).toBeGreaterThan(rotationStepMs);
  });

  test('a failed request of CloudFormation is retried while CloudFormation waits, and not later', () => {
    const { FunctionName, ...limits } = stack.one('AWS::Lambda::EventInvokeConfig').Properties;
    expect(targetOf(FunctionName)).toBe(subscriber.id);
    expect(limits).toMatchObject({ MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 600 });
  });

  test('reconciliation runs once a day, for 15 minutes, and may invoke itself more often than other functions', () => {
    expect(schedule).toMatchObject({
      ScheduleExpression: 'rate(24 hours)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: { Input: '{}' },
    });
    expect(reconciliation.Properties).toMatchObject({ Timeout: 900, MemorySize: 512, RecursiveLoop: 'Allow' });
    const recursive = stack.all('AWS::Lambda::Function').filter(({ Properties }) => Properties.RecursiveLoop);
    expect(recursive.map(({ id }) => id)).toEqual([reconciliation.id]);
    expect(variablesOf(reconciliation)).toMatchObject({
      ...argyleVariables,
      [environment.tableName]: { Ref: stack.table().id },
    });
  });

  test('an error of reconciliation, such as a crash or a time-out, fires an alarm', () => {
    expect(stack.alarm('argyle', 'reconciliation-failed')).toMatchObject({
      ...{ Namespace: 'AWS/Lambda', MetricName: 'Errors', Statistic: 'Sum', Threshold: 1 },
      Dimensions: [{ Name: 'FunctionName', Value: { Ref: reconciliation.id } }],
    });
  });

  test.each([
    ['removals-held', reconciliationMetrics.held],
    ['records-removed', reconciliationMetrics.gone],
    ['tombstones-listed', reconciliationMetrics.tombstonesListed],
  ])('%s fires at the first value of the metric that reconciliation prints', (section, MetricName) => {
    expect(stack.alarm('argyle', section)).toMatchObject({
      ...{ MetricName, Namespace: stack.name, Statistic: 'Sum', Threshold: 1, EvaluationPeriods: 1 },
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Dimensions: [{ Name: 'service', Value: reconciliationService }],
    });
  });

  test('the command line finds the state table, in which reconciliation notes its removals', () => {
    expect(stack.outputs.StateTableName.Value).toEqual({ Ref: stack.stateTable().id });
  });

  test('the outputs name the subscription instead of explaining how to create it', () => {
    expect(stack.outputs.SubscriptionName.Value).toBe('argyle-uploads-sandbox');
    expect(targetOf(stack.outputs.SubscriptionFunctionName.Value)).toBe(subscriber.id);
    expect(stack.outputs).not.toHaveProperty('SubscribeByHand');
  });
});

describe.each(stages)('without credentials, in %s', (stage) => {
  const stack = readStack(stage);

  test.each([
    'Custom::ArgyleSubscription',
    'AWS::SecretsManager::RotationSchedule',
    'AWS::Lambda::EventInvokeConfig',
    'AWS::Scheduler::Schedule',
  ])('there is no %s', (type) => {
    expect(stack.all(type)).toEqual([]);
  });

  test('no function calls Argyle, and there is no state', () => {
    const variables = stack.all('AWS::Lambda::Function').flatMap((lambda) => Object.keys(variablesOf(lambda)));
    for (const name of Object.keys(argyleVariables)) expect(variables).not.toContain(name);
    expect(stack.all('AWS::DynamoDB::Table')).toHaveLength(1);
  });

  test('the outputs explain how to create the subscription, without the secret', () => {
    const { SubscribeByHand, SubscriptionName } = stack.outputs;
    const command = JSON.stringify(SubscribeByHand.Value);
    const api = stage === 'production' ? 'https://api.argyle.com/v2' : 'https://api-sandbox.argyle.com/v2';
    expect(command).toContain(`${api}/webhooks`);
    for (const event of eventTypes) expect(command).toContain(event);
    expect(command).not.toContain('{{resolve:');
    expect(SubscriptionName).toBeUndefined();
  });
});
