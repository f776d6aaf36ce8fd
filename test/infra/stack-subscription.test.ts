import { describe, expect, test } from 'vitest';
import { environment } from '../../functions/aws/environment.ts';
import { leasedWorkMs } from '../../functions/aws/lease.ts';
import { eventTypes } from '../../functions/domain/events.ts';
import { rotationStepMs } from '../../functions/rotation/handler.ts';
import { subscriptionWorkMs } from '../../functions/subscription/handler.ts';
import { type Resource, readStack, stages, targetOf, variablesOf } from '../support/synthesized-stack.ts';

describe('with credentials for Argyle', () => {
  const stack = readStack('connected');
  const secret = () => stack.one('AWS::SecretsManager::Secret');
  const subscription = () => stack.one('Custom::ArgyleSubscription');
  const schedule = () => stack.one('AWS::SecretsManager::RotationSchedule');
  const lambda = (reference: unknown) => stack.one('AWS::Lambda::Function', ({ id }) => id === targetOf(reference));
  const subscriber = () => lambda(subscription().Properties.ServiceToken);
  const rotator = () => lambda(schedule().Properties.RotationLambdaARN);
  const allowed = (of: Resource, service: string) =>
    stack
      .statementsOf(of)
      .flatMap(({ actions, resources }) => actions.flatMap((action) => resources.map((on) => ({ action, on }))))
      .filter(({ action }) => action.startsWith(`${service}:`));
  const others = () =>
    stack.all('AWS::Lambda::Function').filter(({ id }) => id !== subscriber().id && id !== rotator().id);

  test('the subscription is of the URL of the stack, the name of the context and the events of the catalogue', () => {
    const { url, name, events, apiUrl, credentials } = subscription().Properties;
    expect({ url, name, events }).toEqual({
      url: stack.template.toJSON().Outputs.WebhookUrl.Value,
      name: 'argyle-uploads-sandbox',
      events: eventTypes,
    });
    // A change of these, too, has to reach the function.
    expect({ apiUrl, credentials }).toEqual({
      apiUrl: 'https://api-sandbox.argyle.com/v2',
      credentials: 'argyle/api-key',
    });
    expect(JSON.stringify(subscription().Properties)).not.toContain('{{resolve:');
  });

  test('the subscription comes after all that its deliveries need, and goes before it', () => {
    const needed = [stack.ingest().id, subscriber().id, ...stack.all('AWS::ApiGatewayV2::Route').map(({ id }) => id)];
    const roles = [stack.ingest(), subscriber()].map(({ Properties }) => targetOf(Properties.Role));
    const policies = stack
      .all('AWS::IAM::Policy')
      .filter(({ Properties }) => roles.includes(targetOf(Properties.Roles[0])));
    expect(subscription().DependsOn).toEqual(expect.arrayContaining([...needed, ...policies.map(({ id }) => id)]));
  });

  test('the secret is rotated every 90 days, not at once, and not before there is a subscription', () => {
    expect(schedule().Properties).toMatchObject({
      SecretId: { Ref: secret().id },
      RotationRules: { AutomaticallyAfterDays: 90 },
      RotateImmediatelyOnUpdate: false,
    });
    const permission = stack.one('AWS::Lambda::Permission', ({ Properties }) => isForRotation(Properties));
    expect(schedule().DependsOn).toEqual(expect.arrayContaining([subscription().id, permission.id]));
  });

  test('Secrets Manager may call the rotation, for this secret of this account alone', () => {
    const permission = stack.one('AWS::Lambda::Permission', ({ Properties }) => isForRotation(Properties));
    expect(permission.Properties).toMatchObject({
      Action: 'lambda:InvokeFunction',
      SourceAccount: { Ref: 'AWS::AccountId' },
      SourceArn: { Ref: secret().id },
    });
    expect(targetOf(permission.Properties.FunctionName)).toBe(rotator().id);
  });

  test('only the rotation can change the webhook secret, and only ingest and these two can read it', () => {
    expect(allowed(subscriber(), 'secretsmanager').filter(({ on }) => targetOf(on) === secret().id)).toEqual([
      { action: 'secretsmanager:GetSecretValue', on: { Ref: secret().id } },
    ]);
    const ofRotator = allowed(rotator(), 'secretsmanager').filter(({ on }) => targetOf(on) === secret().id);
    expect(ofRotator.map(({ action }) => action).sort()).toEqual([
      'secretsmanager:GetSecretValue',
      'secretsmanager:PutSecretValue',
      'secretsmanager:UpdateSecretVersionStage',
    ]);
    const reading = others().filter((other) =>
      allowed(other, 'secretsmanager').some(({ on }) => targetOf(on) === secret().id),
    );
    expect(reading.map(({ id }) => id)).toEqual([stack.ingest().id]);
  });

  test('beside the secrets, the two reach the items of the state table and nothing else; one sees its stack', () => {
    const state = stack.one('AWS::DynamoDB::Table', ({ id }) => id !== stack.table().id);
    for (const [one, actions] of [
      [subscriber(), ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem']],
      [rotator(), ['dynamodb:GetItem', 'dynamodb:UpdateItem']],
    ] as const) {
      const reached = allowed(one, 'dynamodb');
      expect(reached.map(({ action }) => action).sort()).toEqual(actions);
      expect(new Set(reached.map(({ on }) => targetOf(on)))).toEqual(new Set([state.id]));
      expect(variablesOf(one)[environment.stateTableName]).toEqual({ Ref: state.id });
    }
    expect(allowed(subscriber(), 'cloudformation')).toEqual([
      { action: 'cloudformation:DescribeStacks', on: { Ref: 'AWS::StackId' } },
    ]);
    const services = [subscriber(), rotator()].map((one) =>
      stack.statementsOf(one).flatMap(({ actions }) => actions.map((action) => action.split(':')[0])),
    );
    expect(services.map((names) => [...new Set(names)].sort())).toEqual([
      ['cloudformation', 'dynamodb', 'logs', 'secretsmanager'],
      ['dynamodb', 'logs', 'secretsmanager'],
    ]);
  });

  test('nothing is allowed to the two by a star', () => {
    const statements = [subscriber(), rotator()].flatMap((one) => stack.statementsOf(one));
    expect(statements.filter((statement) => JSON.stringify(statement).includes('*'))).toEqual([]);
  });

  test('each function has time for its work, and CloudFormation more than the function and its retries', () => {
    const answerMs = 3 * 5_000 + 2 * 1_000;
    const timeoutMs = subscriber().Properties.Timeout * 1_000;
    expect(timeoutMs).toBeGreaterThan(subscriptionWorkMs + answerMs);
    expect(Number(subscription().Properties.ServiceTimeout) * 1_000).toBeGreaterThan(3 * timeoutMs);
    // Enough to outlive the lease of a holder that died, and then to work.
    expect(subscriptionWorkMs).toBeGreaterThanOrEqual(2 * leasedWorkMs + 15_000);
    expect(rotator().Properties.Timeout * 1_000).toBeGreaterThan(rotationStepMs);
  });

  test('a request of CloudFormation that failed is repeated while CloudFormation waits, and not later', () => {
    const invocation = stack.one('AWS::Lambda::EventInvokeConfig');
    expect(targetOf(invocation.Properties.FunctionName)).toBe(subscriber().id);
    expect(invocation.Properties).toMatchObject({ MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 600 });
  });

  test('the outputs name the subscription, and do not say how to make it by hand', () => {
    const { Outputs } = stack.template.toJSON();
    expect(Outputs.SubscriptionName.Value).toBe('argyle-uploads-sandbox');
    expect(Outputs).not.toHaveProperty('SubscribeByHand');
  });
});

describe.each(stages)('without credentials, in %s', (stage) => {
  const stack = readStack(stage);

  test.each(['Custom::ArgyleSubscription', 'AWS::SecretsManager::RotationSchedule', 'AWS::Lambda::EventInvokeConfig'])(
    'there is no %s',
    (type) => {
      expect(stack.all(type)).toEqual([]);
    },
  );

  test('the outputs say how to subscribe by hand, without the secret', () => {
    const { SubscribeByHand, SubscriptionName } = stack.template.toJSON().Outputs;
    const said = JSON.stringify(SubscribeByHand.Value);
    const host = stage === 'production' ? 'https://api.argyle.com/v2' : 'https://api-sandbox.argyle.com/v2';
    expect(said).toContain(`${host}/webhooks`);
    for (const event of eventTypes) expect(said).toContain(event);
    expect(said).not.toContain('{{resolve:');
    expect(SubscriptionName).toBeUndefined();
  });
});

function isForRotation({ Principal }: { readonly Principal?: string }): boolean {
  return Principal === 'secretsmanager.amazonaws.com';
}
