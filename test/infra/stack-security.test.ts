import { describe, expect, test } from 'vitest';
import { environment } from '../../functions/aws/environment.ts';
import { eventTypes } from '../../functions/domain/events.ts';
import { type Resource, readStack, stages, statementsIn, targetOf, variablesOf } from '../support/synthesized-stack.ts';

describe.each(stages)('in %s', (stage) => {
  const stack = readStack(stage);
  const secret = () => stack.one('AWS::SecretsManager::Secret');
  const allowed = () => statementsIn(stack.template.toJSON()).filter(({ effect }) => effect === 'Allow');
  const actionsOf = (lambda: Resource, service: string) =>
    stack.statementsOf(lambda).flatMap(({ actions }) => actions.filter((action) => action.startsWith(`${service}:`)));
  const resourcesOf = (lambda: Resource, service: string) =>
    stack
      .statementsOf(lambda)
      .filter(({ actions }) => actions.some((action) => action.startsWith(`${service}:`)))
      .flatMap(({ resources }) => resources);

  test('nothing is allowed by an action with a star', () => {
    expect(allowed().filter(({ actions }) => actions.join().includes('*'))).toEqual([]);
  });

  test('nothing is allowed on a resource with a star', () => {
    const wide = allowed().filter(({ resources }) => JSON.stringify(resources).includes('*'));
    // CodeDeploy reads alarms; CloudWatch asks for that right on all of them.
    expect(wide.filter(({ actions }) => actions.join() !== 'cloudwatch:DescribeAlarms')).toEqual([]);
  });

  test('nothing is allowed to everyone', () => {
    expect(allowed().filter(({ principal }) => JSON.stringify(principal ?? '').includes('*'))).toEqual([]);
  });

  test('no role has a managed policy', () => {
    expect(stack.all('AWS::IAM::Role').filter(({ Properties }) => Properties.ManagedPolicyArns)).toEqual([]);
    stack.template.resourceCountIs('AWS::IAM::ManagedPolicy', 0);
  });

  test('each function has a role that no other function has', () => {
    const roles = stack.all('AWS::Lambda::Function').map(({ Properties }) => targetOf(Properties.Role));
    expect(new Set(roles).size).toBe(roles.length);
  });

  test('ingest cannot touch the table', () => {
    expect(actionsOf(stack.ingest(), 'dynamodb')).toEqual([]);
  });

  test('ingest can do nothing with queues but send', () => {
    expect(actionsOf(stack.ingest(), 'sqs')).toEqual(['sqs:SendMessage']);
  });

  test('ingest can send to no dead-letter queue', () => {
    const queues = [stack.quarantine(), ...eventTypes.map((event) => stack.queue(event))];
    expect(resourcesOf(stack.ingest(), 'sqs').map(targetOf).sort()).toEqual(queues.map(({ id }) => id).sort());
  });

  test('ingest can only read the webhook secret', () => {
    expect(actionsOf(stack.ingest(), 'secretsmanager')).toEqual(['secretsmanager:GetSecretValue']);
    expect(resourcesOf(stack.ingest(), 'secretsmanager')).toEqual([{ Ref: secret().id }]);
  });

  describe.each(eventTypes)('the worker of %s', (event) => {
    test('cannot read secrets', () => {
      expect(actionsOf(stack.worker(event), 'secretsmanager')).toEqual([]);
    });

    test('cannot send messages', () => {
      expect(actionsOf(stack.worker(event), 'sqs')).not.toContain('sqs:SendMessage');
    });

    test('touches no queue but its own', () => {
      expect(resourcesOf(stack.worker(event), 'sqs')).toEqual([{ 'Fn::GetAtt': [stack.queue(event).id, 'Arn'] }]);
    });

    test('touches the table and not its indexes', () => {
      expect(resourcesOf(stack.worker(event), 'dynamodb')).toEqual([{ 'Fn::GetAtt': [stack.table().id, 'Arn'] }]);
    });

    test('can only update and read records', () => {
      expect(actionsOf(stack.worker(event), 'dynamodb').sort()).toEqual(['dynamodb:GetItem', 'dynamodb:UpdateItem']);
    });
  });

  test('the webhook secret is generated', () => {
    expect(secret().Properties.GenerateSecretString.PasswordLength).toBeGreaterThanOrEqual(32);
    expect(secret().Properties).not.toHaveProperty('SecretString');
  });

  test('functions are given the name of the secret, never its value', () => {
    expect(variablesOf(stack.ingest())[environment.webhookSecretId]).toEqual({ Ref: secret().id });
    expect(JSON.stringify(stack.all('AWS::Lambda::Function').map(variablesOf))).not.toContain('{{resolve:');
  });

  test('every queue is encrypted with keys that SQS manages', () => {
    expect(stack.all('AWS::SQS::Queue').filter(({ Properties }) => Properties.SqsManagedSseEnabled !== true)).toEqual(
      [],
    );
  });

  test('every queue refuses connections without TLS', () => {
    const open = stack.all('AWS::SQS::Queue').filter(({ id }) => !deniesWithoutTls(id));
    expect(open).toEqual([]);
  });

  function deniesWithoutTls(queueId: string): boolean {
    const policies = stack
      .all('AWS::SQS::QueuePolicy')
      .filter(({ Properties }) => Properties.Queues.map(targetOf).includes(queueId));
    return policies
      .flatMap(statementsIn)
      .some(
        ({ effect, actions, resources, principal, condition }) =>
          effect === 'Deny' &&
          actions.includes('sqs:*') &&
          resources.map(targetOf).includes(queueId) &&
          JSON.stringify(principal) === '{"AWS":"*"}' &&
          JSON.stringify(condition) === '{"Bool":{"aws:SecureTransport":"false"}}',
      );
  }
});
