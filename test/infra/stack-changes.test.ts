import { describe, expect, test } from 'vitest';
import { outputNames } from '../../infra/output-names.ts';
import { readStack, stages } from '../support/synthesized-stack.ts';

describe('with publishChanges', () => {
  const stack = readStack('connected');
  const pipe = stack.one('AWS::Pipes::Pipe');
  const bus = stack.one('AWS::Events::EventBus');
  const source = pipe.Properties.SourceParameters.DynamoDBStreamParameters;
  const deadLetterQueue = stack.at('AWS::SQS::Queue', source.DeadLetterConfig.Arn);

  test("a pipe connects the table's stream to its own event bus", () => {
    expect(pipe.Properties).toMatchObject({
      Source: { 'Fn::GetAtt': [stack.table().id, 'StreamArn'] },
      Target: { 'Fn::GetAtt': [bus.id, 'Arn'] },
      TargetParameters: {
        EventBridgeEventBusParameters: { Source: 'argyle-uploads-receiver', DetailType: 'UploadRecordChanged' },
      },
    });
    expect(stack.outputs[outputNames.changeBusName].Value).toEqual({ Ref: bus.id });
  });

  test("its batches are within the bus's maximum; it retries for six hours and splits batches that fail", () => {
    expect(source).toMatchObject({
      BatchSize: 10,
      StartingPosition: 'LATEST',
      MaximumRetryAttempts: 100,
      MaximumRecordAgeInSeconds: 6 * 3_600,
      OnPartialBatchItemFailure: 'AUTOMATIC_BISECT',
    });
  });

  test('its dead-letter queue keeps messages for 14 days, and its alarm keeps its state while SQS reports nothing', () => {
    expect(deadLetterQueue.Properties.MessageRetentionPeriod).toBe(14 * 86_400);
    expect(stack.alarm('changes', 'changes-not-published').TreatMissingData).toBe('ignore');
  });

  test('its permissions exist before the pipe', () => {
    const policies = stack.policiesOf(stack.at('AWS::IAM::Role', pipe.Properties.RoleArn)).map(({ id }) => id);
    expect(policies).toHaveLength(1);
    expect(Object(pipe).DependsOn).toEqual(policies);
  });
});

test.each(stages)('%s does not publish changes by default', (stage) => {
  readStack(stage).template.resourceCountIs('AWS::Pipes::Pipe', 0);
  readStack(stage).template.resourceCountIs('AWS::Events::EventBus', 0);
});
