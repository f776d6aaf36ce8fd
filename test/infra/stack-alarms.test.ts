import { afterEach, describe, expect, test, vi } from 'vitest';
import { createTelemetry } from '../../functions/aws/telemetry.ts';
import { events, eventTypes } from '../../functions/domain/events.ts';
import {
  documentMetrics,
  ingestMetrics,
  secretUnreadableMetric,
  workerMetrics,
} from '../../functions/domain/metric-names.ts';
import { type Resource, readStack, stages, statementsIn, variablesOf } from '../support/synthesized-stack.ts';

type Properties = Resource['Properties'];

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
  const alarmOf = (row: string, section: string) =>
    stack.one('AWS::CloudWatch::Alarm', ({ Properties }) => Properties.AlarmName === `${stack.name}/${row}/${section}`)
      .Properties;

  test.each(eventTypes)('the first dead letter of %s fires an alarm', (event) => {
    expect(alarmOf(event, 'dead-letters')).toMatchObject({
      ...firesAtTheFirst,
      ...metricOf(stack.deadLetterQueue(event), 'ApproximateNumberOfMessagesVisible'),
    });
  });

  test.each(eventTypes)('a message of %s that waits for 15 minutes fires an alarm', (event) => {
    expect(alarmOf(event, 'oldest-message')).toMatchObject({
      ...{ ...firesAtTheFirst, Threshold: 900 },
      ...metricOf(stack.queue(event), 'ApproximateAgeOfOldestMessage'),
    });
  });

  test.each(eventTypes)('failed batches and failed records of %s together fire an alarm', (event) => {
    const { Metrics, ...alarm } = alarmOf(event, 'worker-errors');
    expect(alarm).toMatchObject({ ComparisonOperator: 'GreaterThanOrEqualToThreshold', Threshold: 5 });
    expect(Metrics).toMatchObject([
      { Expression: 'FILL(errors, 0) + FILL(failed, 0)', ReturnData: true },
      { Id: 'errors', MetricStat: { Metric: lambdaErrors(stack.worker(event)), Period: 300, Stat: 'Sum' } },
      { Id: 'failed', MetricStat: { Metric: printedBy(stack.worker(event), workerMetrics.retryable), Period: 300 } },
    ]);
  });

  test.each(eventTypes)('the alarms of %s say what is missed', (event) => {
    for (const section of ['dead-letters', 'oldest-message', 'worker-errors', 'throttled'])
      expect(alarmOf(event, section).AlarmDescription).toBe(
        `${events[event].failureImpact}\n\nRunbook: docs/runbook.md#${section}`,
      );
  });

  test('the first quarantined webhook fires an alarm', () => {
    expect(alarmOf('ingest', 'quarantined')).toMatchObject({
      ...firesAtTheFirst,
      ...metricOf(stack.quarantine(), 'ApproximateNumberOfMessagesVisible'),
    });
  });

  test.each([
    ['too-large', ingestMetrics.too_large],
    ['secret-unreadable', secretUnreadableMetric],
  ])('the first time, %s fires: it watches what ingest prints', (section, metric) => {
    const { Namespace, MetricName, Dimensions } = printedBy(stack.ingest(), metric);
    expect(alarmOf('ingest', section)).toMatchObject({
      ...{ ...firesAtTheFirst, Statistic: 'Sum' },
      ...{ Namespace, MetricName, Dimensions },
    });
  });

  test('the limit that is watched is the one that the gateway keeps', () => {
    const { ThrottlingRateLimit } = stack.one('AWS::ApiGatewayV2::Stage').Properties.DefaultRouteSettings;
    expect(alarmOf('ingest', 'near-request-limit').Threshold).toBe(ThrottlingRateLimit * 60 * 0.8);
  });

  test('every alarm says in a sentence what it means, and links its section of the runbook', () => {
    const mute = stack
      .all('AWS::CloudWatch::Alarm')
      .filter(
        ({ Properties }) => !/^[A-Z].{40,}\.\n\nRunbook: docs\/runbook\.md#[a-z-]+$/.test(Properties.AlarmDescription),
      );
    expect(mute).toEqual([]);
  });

  test('every alarm tells the topic', () => {
    const actions = stack.all('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties.AlarmActions);
    expect(actions).toEqual(actions.map(() => [{ Ref: topic() }]));
  });

  test('silence is health, but a queue that reports nothing may still hold what it held', () => {
    const ignoring = stack
      .all('AWS::CloudWatch::Alarm')
      .filter(({ Properties }) => Properties.TreatMissingData !== 'notBreaching')
      .map(({ Properties }) => [Properties.AlarmName.split('/').at(-1), Properties.TreatMissingData]);
    expect(ignoring).toEqual([...eventTypes.map(() => ['dead-letters', 'ignore']), ['quarantined', 'ignore']]);
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

describe('with all that can be switched on', () => {
  const stack = readStack('connected');
  const alarmOf = (name: string) =>
    stack.one('AWS::CloudWatch::Alarm', ({ Properties }) => Properties.AlarmName.endsWith(name)).Properties;

  test('48 hours without an accepted webhook fire an alarm, as nothing is printed then', () => {
    expect(alarmOf('ingest/silence')).toMatchObject({
      ...{ ComparisonOperator: 'LessThanThreshold', Threshold: 1, Statistic: 'Sum' },
      ...{ EvaluationPeriods: 48, Period: 3_600, TreatMissingData: 'breaching' },
      ...{ MetricName: ingestMetrics.accepted },
    });
  });

  test("what Argyle's API does not serve is one alarm, and not the workers'", () => {
    const fetching = alarmOf('argyle/documents-not-fetched').Metrics.filter(
      (query: { MetricStat?: object }) => query.MetricStat,
    );
    const events = fetching.map((query: { MetricStat: { Metric: Properties } }) => query.MetricStat.Metric);
    expect(events).toHaveLength(eventTypes.length - 1);
    for (const { MetricName, Dimensions } of events) {
      expect(MetricName).toBe(documentMetrics.failed);
      expect(alarmOf(`${Dimensions[0].Value}/worker-errors`).Metrics[0].Expression).toContain(' - FILL(notFetched, 0)');
    }
  });

  test('no alarm reckons with more metrics than CloudWatch takes', () => {
    const counts = stack.all('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties.Metrics?.length ?? 1);
    expect(Math.max(...counts)).toBeLessThanOrEqual(11);
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

function metricOf(queue: Resource, MetricName: string) {
  return {
    Namespace: 'AWS/SQS',
    MetricName,
    Statistic: 'Maximum',
    Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queue.id, 'QueueName'] } }],
  };
}

function lambdaErrors({ id }: Resource) {
  return { Namespace: 'AWS/Lambda', MetricName: 'Errors', Dimensions: [{ Name: 'FunctionName', Value: { Ref: id } }] };
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
