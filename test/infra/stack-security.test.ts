import { describe, expect, test } from 'vitest';
import { environment } from '../../functions/aws/environment.ts';
import { events, eventTypes } from '../../functions/domain/events.ts';
import { removalSlot } from '../../functions/domain/upload-record.ts';
import {
  allAssemblies,
  arnOf,
  permissions,
  readStack,
  statementsIn,
  targetOf,
  variablesOf,
} from '../support/synthesized-stack.ts';

const argyleKey = arn('secretsmanager', 'secret:argyle/api-key-??????');
const workerActions = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes', 'ChangeMessageVisibility'];

describe.each(allAssemblies)('in %s', (assembly) => {
  const stack = readStack(assembly);
  const functions = stack.all('AWS::Lambda::Function');
  const secret = stack.secret();
  const allowed = statementsIn(stack.template.toJSON()).filter(({ effect }) => effect === 'Allow');

  test('no statement allows wildcard actions or wildcard principals', () => {
    expect(allowed.filter(({ actions }) => actions.join().includes('*'))).toEqual([]);
    expect(allowed.filter(({ principal }) => JSON.stringify(principal ?? '').includes('*'))).toEqual([]);
  });

  test('no statement allows resources with a wildcard, except for reading alarms, where CloudWatch requires it', () => {
    const wide = allowed.filter(({ resources }) => JSON.stringify(resources).includes('*'));
    expect(wide.filter(({ actions }) => actions.join() !== 'cloudwatch:DescribeAlarms')).toEqual([]);
  });

  test('no role has a managed policy', () => {
    expect(stack.all('AWS::IAM::Role').filter(({ Properties }) => Properties.ManagedPolicyArns)).toEqual([]);
    stack.template.resourceCountIs('AWS::IAM::ManagedPolicy', 0);
  });

  test('AWS services other than Lambda assume a role only for this account', () => {
    const trusted = stack.all('AWS::IAM::Role').flatMap(({ Properties }) => statementsIn(Properties));
    const services = trusted.map(({ principal }) => Object(principal).Service);
    expect(trusted).toEqual(
      services.map((Service) => ({
        effect: 'Allow',
        actions: ['sts:AssumeRole'],
        resources: [undefined],
        principal: { Service },
        condition:
          Service === 'lambda.amazonaws.com'
            ? undefined
            : { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      })),
    );
    expect([...new Set(services)].sort()).toEqual(
      {
        sandbox: ['lambda.amazonaws.com'],
        production: ['codedeploy.amazonaws.com', 'lambda.amazonaws.com'],
        connected: ['lambda.amazonaws.com', 'pipes.amazonaws.com', 'scheduler.amazonaws.com'],
      }[assembly],
    );
  });

  test('each function has its own role, and its own log group that no other function can write to', () => {
    expect(new Set(functions.map(({ Properties }) => targetOf(Properties.Role))).size).toBe(functions.length);
    const groups = stack.all('AWS::Logs::LogGroup').map(({ id }) => id);
    const own = functions.map(({ Properties }) => targetOf(Properties.LoggingConfig?.LogGroup));
    const writable = functions.map((lambda) => {
      const logging = stack
        .statementsOf(stack.roleOf(lambda))
        .filter(({ actions }) => actions.join().includes('logs:'));
      return groups.filter((group) => JSON.stringify(logging).includes(`"${group}"`));
    });
    expect(writable).toEqual(own.map((group) => [group]));
    expect(new Set(own).size).toBe(functions.length);
  });

  test('ingest can send to the queues that workers read and to the quarantine, and read the webhook secret', () => {
    const queues = [stack.quarantine(), ...eventTypes.map((event) => stack.queue(event))];
    expect(stack.permissionsOf(stack.roleOf(stack.ingest()))).toEqual(
      permissions([queues.map(arnOf), 'sqs:SendMessage'], [[{ Ref: secret.id }], 'secretsmanager:GetSecretValue']),
    );
  });

  test.each(eventTypes)(
    'the worker of %s can use its queue, send to its dead-letter queue, and read and update records, but not the indexes',
    (event) => {
      const fetches = assembly === 'connected' && events[event].slot !== removalSlot;
      expect(stack.permissionsOf(stack.roleOf(stack.worker(event)))).toEqual(
        permissions(
          [[arnOf(stack.queue(event))], ...workerActions.map((action) => `sqs:${action}`)],
          [[arnOf(stack.deadLetterQueue(event))], 'sqs:SendMessage'],
          [[arnOf(stack.table())], 'dynamodb:GetItem', 'dynamodb:UpdateItem'],
          ...(fetches ? [[[argyleKey], 'secretsmanager:GetSecretValue'] as const] : []),
        ),
      );
    },
  );

  test('the webhook secret is generated, and functions receive its name but not its value', () => {
    expect(secret.Properties.GenerateSecretString.PasswordLength).toBeGreaterThanOrEqual(32);
    expect(secret.Properties).not.toHaveProperty('SecretString');
    expect(variablesOf(stack.ingest())[environment.webhookSecretId]).toEqual({ Ref: secret.id });
    expect(JSON.stringify(stack.template.toJSON())).not.toContain('{{resolve:');
  });

  test('every queue is encrypted with keys of SQS and refuses connections without TLS', () => {
    const queues = stack.all('AWS::SQS::Queue');
    expect(queues.filter(({ Properties }) => Properties.SqsManagedSseEnabled !== true)).toEqual([]);
    const policies = stack.all('AWS::SQS::QueuePolicy');
    const denied = queues.map((queue) =>
      policies
        .filter(({ Properties }) => Properties.Queues.map(targetOf).includes(queue.id))
        .flatMap(statementsIn)
        .filter(({ effect }) => effect === 'Deny'),
    );
    expect(denied).toEqual(
      queues.map((queue) => [
        {
          effect: 'Deny',
          actions: ['sqs:*'],
          resources: [arnOf(queue)],
          principal: { AWS: '*' },
          condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ]),
    );
  });
});

describe('with every option enabled', () => {
  const stack = readStack('connected');
  const { at, permissionsOf, roleOf } = stack;
  const lambda = (reference: unknown) => at('AWS::Lambda::Function', reference);
  const subscriber = lambda(stack.one('Custom::ArgyleSubscription').Properties.ServiceToken);
  const rotator = lambda(stack.one('AWS::SecretsManager::RotationSchedule').Properties.RotationLambdaARN);
  const { Target: target } = stack.one('AWS::Scheduler::Schedule').Properties;
  const reconciliation = lambda(target.Arn);
  const pipe = stack.one('AWS::Pipes::Pipe').Properties;
  const secret = { Ref: stack.secret().id };
  const reading = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'];
  const state = (...actions: string[]) => [[arnOf(stack.stateTable())], ...actions] as const;

  test.each([
    {
      name: 'the subscription',
      role: roleOf(subscriber),
      allowed: permissions(
        state('dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'),
        [[argyleKey, secret], 'secretsmanager:GetSecretValue'],
        [[{ Ref: 'AWS::StackId' }], 'cloudformation:DescribeStacks'],
      ),
    },
    {
      name: 'the rotation',
      role: roleOf(rotator),
      allowed: permissions(
        state('dynamodb:GetItem', 'dynamodb:UpdateItem'),
        [[argyleKey, secret], 'secretsmanager:GetSecretValue'],
        [[secret], 'secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'],
      ),
    },
    {
      name: 'reconciliation',
      role: roleOf(reconciliation),
      allowed: permissions(
        state('dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'),
        [[argyleKey], 'secretsmanager:GetSecretValue'],
        [[arnOf(stack.table())], 'dynamodb:BatchGetItem', 'dynamodb:Scan'],
        [eventTypes.map((event) => arnOf(stack.queue(event))), 'sqs:SendMessage'],
        [[arnOf(reconciliation)], 'lambda:InvokeFunction'],
      ),
    },
    {
      name: 'the schedule of reconciliation',
      role: at('AWS::IAM::Role', target.RoleArn),
      allowed: permissions([[arnOf(reconciliation)], 'lambda:InvokeFunction']),
    },
    {
      name: 'the pipe',
      role: at('AWS::IAM::Role', pipe.RoleArn),
      allowed: permissions(
        [[pipe.Source], ...reading.map((action) => `dynamodb:${action}`)],
        [[pipe.SourceParameters.DynamoDBStreamParameters.DeadLetterConfig.Arn], 'sqs:SendMessage'],
        [[pipe.Enrichment], 'lambda:InvokeFunction'],
        [[pipe.Target], 'events:PutEvents'],
      ),
    },
    { name: 'the function in the pipe', role: roleOf(lambda(pipe.Enrichment)), allowed: {} },
  ])('$name has no permissions but those it needs', ({ role, allowed }) => {
    expect(permissionsOf(role)).toEqual(allowed);
  });

  test('there are no functions other than these, ingest and the workers', () => {
    const known = [subscriber, rotator, reconciliation, lambda(pipe.Enrichment)];
    expect(stack.all('AWS::Lambda::Function')).toHaveLength(known.length + 1 + eventTypes.length);
  });
});

test('in production, CodeDeploy can move the aliases and read alarms', () => {
  const stack = readStack('production');
  const released = [stack.ingest(), ...eventTypes.map((event) => stack.worker(event))];
  const aliases = released.map((lambda) => ({ 'Fn::Join': ['', [arnOf(lambda), ':live']] }));
  const [group] = stack.all('AWS::CodeDeploy::DeploymentGroup');
  expect(stack.permissionsOf(stack.at('AWS::IAM::Role', group?.Properties.ServiceRoleArn))).toEqual(
    permissions(
      [
        [...released.map(arnOf), ...aliases],
        'lambda:GetAlias',
        'lambda:GetProvisionedConcurrencyConfig',
        'lambda:UpdateAlias',
      ],
      [[arn('cloudwatch', 'alarm:*')], 'cloudwatch:DescribeAlarms'],
    ),
  );
});

function arn(service: string, resource: string): object {
  const [partition, region, account] = ['Partition', 'Region', 'AccountId'].map((name) => ({ Ref: `AWS::${name}` }));
  return { 'Fn::Join': ['', ['arn:', partition, `:${service}:`, region, ':', account, `:${resource}`]] };
}
