import { describe, expect, test } from 'vitest';
import { outputNames } from '../../infra/output-names.ts';
import { readStack, stages, targetOf } from '../support/synthesized-stack.ts';

describe('where changes are published', () => {
  const stack = readStack('connected');
  const pipe = () => stack.one('AWS::Pipes::Pipe').Properties;
  const bus = () => stack.one('AWS::Events::EventBus');
  const stream = () => pipe().SourceParameters.DynamoDBStreamParameters;
  const deadLetterQueue = () =>
    stack.one('AWS::SQS::Queue', ({ id }) => id === targetOf(stream().DeadLetterConfig.Arn));
  const lambda = () => stack.one('AWS::Lambda::Function', ({ id }) => id === targetOf(pipe().Enrichment));
  const role = () => stack.one('AWS::IAM::Role', ({ id }) => id === targetOf(pipe().RoleArn));

  test("a pipe leads from the records' stream to a bus of its own", () => {
    expect(pipe().Source).toEqual({ 'Fn::GetAtt': [stack.table().id, 'StreamArn'] });
    expect(pipe().Target).toEqual({ 'Fn::GetAtt': [bus().id, 'Arn'] });
    expect(pipe().TargetParameters).toEqual({
      EventBridgeEventBusParameters: { Source: 'argyle-uploads-receiver', DetailType: 'UploadRecordChanged' },
    });
  });

  test('it takes no larger batch than the bus does, tries for six hours at most, and halves what fails', () => {
    expect(stream()).toMatchObject({
      BatchSize: 10,
      StartingPosition: 'LATEST',
      MaximumRetryAttempts: 100,
      MaximumRecordAgeInSeconds: 6 * 3_600,
      OnPartialBatchItemFailure: 'AUTOMATIC_BISECT',
    });
  });

  test('what it gives up is kept for 14 days, and fires an alarm at the first', () => {
    expect(deadLetterQueue().Properties.MessageRetentionPeriod).toBe(14 * 86_400);
    const [alarm] = stack
      .all('AWS::CloudWatch::Alarm')
      .filter(({ Properties }) => JSON.stringify(Properties.Dimensions ?? '').includes(deadLetterQueue().id));
    expect(alarm?.Properties).toMatchObject({
      AlarmName: `${stack.name}/changes/changes-not-published`,
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Threshold: 1,
      TreatMissingData: 'ignore',
    });
  });

  test('the pipe may read this stream, call this function, and send to this bus and this queue, and nothing else', () => {
    expect(stack.statementsOfRole(role())).toMatchObject([
      {
        actions: ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map((name) => `dynamodb:${name}`),
        resources: [pipe().Source],
      },
      { actions: ['sqs:SendMessage'], resources: [{ 'Fn::GetAtt': [deadLetterQueue().id, 'Arn'] }] },
      { actions: ['lambda:InvokeFunction'], resources: [{ 'Fn::GetAtt': [lambda().id, 'Arn'] }] },
      { actions: ['events:PutEvents'], resources: [{ 'Fn::GetAtt': [bus().id, 'Arn'] }] },
    ]);
    expect(role().Properties).not.toHaveProperty('ManagedPolicyArns');
  });

  test("only this account's pipes may act with its role", () => {
    expect(role().Properties.AssumeRolePolicyDocument.Statement).toMatchObject([
      {
        Principal: { Service: 'pipes.amazonaws.com' },
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      },
    ]);
  });

  test('its permissions are there before the pipe', () => {
    const policy = stack.one('AWS::IAM::Policy', ({ Properties }) =>
      Properties.Roles.map(targetOf).includes(role().id),
    );
    expect(Object(stack.one('AWS::Pipes::Pipe')).DependsOn).toEqual([policy.id]);
  });

  test('the function in it may do nothing but write its log', () => {
    const actions = stack.statementsOf(lambda()).flatMap((statement) => statement.actions);
    expect(actions).toEqual(['logs:CreateLogStream', 'logs:PutLogEvents']);
  });

  test('the name of the bus is an output', () => {
    expect(stack.template.toJSON().Outputs[outputNames.changeBusName].Value).toEqual({ Ref: bus().id });
  });
});

describe.each(stages)('in %s, where nobody asked for it,', (stage) => {
  test.each(['AWS::Pipes::Pipe', 'AWS::Events::EventBus'])('there is no %s', (type) => {
    readStack(stage).template.resourceCountIs(type, 0);
  });
});
