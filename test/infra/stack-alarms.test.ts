import { afterEach, describe, expect, test, vi } from 'vitest';
import { createTelemetry } from '../../functions/aws/telemetry.ts';
import { events, eventTypes } from '../../functions/domain/events.ts';
import { ingestMetrics } from '../../functions/metric-names.ts';
import { type Resource, readStack, stages, statementsIn, targetOf, variablesOf } from '../support/synthesized-stack.ts';

const firesAtTheFirst = {
  ComparisonOperator: 'GreaterThanOrEqualToThreshold',
  Threshold: 1,
  EvaluationPeriods: 1,
  Period: 60,
};

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe.each(stages)('in %s', (stage) => {
  const stack = readStack(stage);
  const topic = () => stack.one('AWS::SNS::Topic').id;
  const alarmOn = (queue: Resource) =>
    stack.one('AWS::CloudWatch::Alarm', ({ Properties }) => targetOf(Properties.Dimensions[0].Value) === queue.id);
  const tooLargeAlarm = () =>
    stack.one('AWS::CloudWatch::Alarm', ({ Properties }) => Properties.Namespace !== 'AWS/SQS');

  test.each(eventTypes)('the first dead letter of %s fires an alarm', (event) => {
    expect(alarmOn(stack.deadLetterQueue(event)).Properties).toMatchObject({
      ...firesAtTheFirst,
      ...messagesIn(stack.deadLetterQueue(event)),
    });
  });

  test.each(eventTypes)('the alarm of %s says what is missed', (event) => {
    expect(alarmOn(stack.deadLetterQueue(event)).Properties.AlarmDescription).toBe(events[event].failureImpact);
  });

  test('the first quarantined webhook fires an alarm', () => {
    expect(alarmOn(stack.quarantine()).Properties).toMatchObject({
      ...firesAtTheFirst,
      ...messagesIn(stack.quarantine()),
    });
  });

  test('the first genuine webhook that is too large fires an alarm', () => {
    expect(tooLargeAlarm().Properties).toMatchObject({ ...firesAtTheFirst, Statistic: 'Sum' });
  });

  test('the alarm on too large webhooks watches what ingest prints for one', () => {
    const { Namespace, MetricName, Dimensions } = tooLargeAlarm().Properties;
    expect({ Namespace, MetricName, Dimensions }).toEqual(printedBy(stack.ingest(), ingestMetrics.too_large));
  });

  test('every alarm says in a sentence what it means', () => {
    const mute = stack
      .all('AWS::CloudWatch::Alarm')
      .filter(({ Properties }) => !/^[A-Z].{40,}\.$/.test(Properties.AlarmDescription));
    expect(mute).toEqual([]);
  });

  test('every alarm tells the topic', () => {
    const actions = stack.all('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties.AlarmActions);
    expect(actions).toEqual(actions.map(() => [{ Ref: topic() }]));
  });

  test('every alarm takes silence for health', () => {
    const others = stack
      .all('AWS::CloudWatch::Alarm')
      .filter(({ Properties }) => Properties.TreatMissingData !== 'notBreaching');
    expect(others).toEqual([]);
  });

  test('CloudWatch may publish to the topic', () => {
    const allowed = statementsIn(stack.one('AWS::SNS::TopicPolicy')).filter(({ effect }) => effect === 'Allow');
    expect(allowed).toMatchObject([
      { actions: ['sns:Publish'], resources: [{ Ref: topic() }], principal: { Service: 'cloudwatch.amazonaws.com' } },
    ]);
  });

  test('each function prints its metrics under the name of the stack', () => {
    const namespaces = stack.all('AWS::Lambda::Function').map((lambda) => printedBy(lambda, 'Any').Namespace);
    expect(new Set(namespaces)).toEqual(new Set([stack.name]));
  });

  test('each worker prints its metrics under the name of its event', () => {
    const dimensions = eventTypes.map((event) => printedBy(stack.worker(event), 'Any').Dimensions);
    expect(dimensions).toEqual(eventTypes.map((event) => [{ Name: 'service', Value: event }]));
  });
});

test('production tells the configured address', () => {
  const stack = readStack('production');
  expect(stack.all('AWS::SNS::Subscription')).toMatchObject([
    {
      Properties: {
        Protocol: 'email',
        Endpoint: 'ops@example.com',
        TopicArn: { Ref: stack.one('AWS::SNS::Topic').id },
      },
    },
  ]);
});

test('without an address nobody is subscribed', () => {
  readStack('sandbox').template.resourceCountIs('AWS::SNS::Subscription', 0);
});

function messagesIn(queue: Resource) {
  return {
    Namespace: 'AWS/SQS',
    MetricName: 'ApproximateNumberOfMessagesVisible',
    Statistic: 'Maximum',
    Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queue.id, 'QueueName'] } }],
  };
}

// Prints one metric as the deployed function would, and reads the line as CloudWatch does.
function printedBy(lambda: Resource, metric: string) {
  for (const [name, value] of Object.entries(variablesOf(lambda))) {
    if (typeof value === 'string') vi.stubEnv(name, value);
  }
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  createTelemetry().measure({ [metric]: 1 }, {});
  const line = JSON.parse(String(write.mock.lastCall?.[0]));
  const [{ Namespace, Dimensions, Metrics }] = line._aws.CloudWatchMetrics;
  return {
    Namespace,
    MetricName: Metrics[0].Name,
    Dimensions: Dimensions[0].map((Name: string) => ({ Name, Value: line[Name] })),
  };
}
