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

const atLeast = (Threshold: number, Period = 60) => ({
  ComparisonOperator: 'GreaterThanOrEqualToThreshold',
  Threshold,
  EvaluationPeriods: 1,
  Period,
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe.each(stages)('in %s', (stage) => {
  const stack = readStack(stage);
  const alarms = stack.all('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties);
  const topic = { Ref: stack.one('AWS::SNS::Topic').id };

  test.each(eventTypes)('%s: the first dead letter, and a message older than 15 minutes, fire an alarm', (event) => {
    expect(stack.alarm(event, 'dead-letters')).toMatchObject({
      ...atLeast(1),
      ...metricOf(stack.deadLetterQueue(event), 'ApproximateNumberOfMessagesVisible'),
    });
    expect(stack.alarm(event, 'oldest-message')).toMatchObject({
      ...atLeast(900),
      ...metricOf(stack.queue(event), 'ApproximateAgeOfOldestMessage'),
    });
  });

  test.each(eventTypes)('%s: failed batches and failed records together fire an alarm', (event) => {
    const { Metrics, ...alarm } = stack.alarm(event, 'worker-errors');
    const worker = stack.worker(event);
    const errors = {
      ...{ Namespace: 'AWS/Lambda', MetricName: 'Errors' },
      Dimensions: [{ Name: 'FunctionName', Value: { Ref: worker.id } }],
    };
    expect(alarm).toMatchObject({ ComparisonOperator: 'GreaterThanOrEqualToThreshold', Threshold: 5 });
    expect(Metrics).toMatchObject([
      { Expression: 'FILL(errors, 0) + FILL(failed, 0)', ReturnData: true },
      { Id: 'errors', MetricStat: { Metric: errors, Period: 300, Stat: 'Sum' } },
      { Id: 'failed', MetricStat: { Metric: printedBy(worker, workerMetrics.retryable), Period: 300, Stat: 'Sum' } },
    ]);
  });

  test.each(eventTypes)(
    '%s: failures and throttles in four of twelve periods fire an alarm, however few they are',
    (event) => {
      const { Metrics, ...alarm } = stack.alarm(event, 'repeated-failures');
      const worker = stack.worker(event);
      const ofLambda = (MetricName: string) => ({
        ...{ Namespace: 'AWS/Lambda', MetricName },
        Dimensions: [{ Name: 'FunctionName', Value: { Ref: worker.id } }],
      });
      const sum = { Period: 300, Stat: 'Sum' };
      expect(alarm).toMatchObject({ ComparisonOperator: 'GreaterThanOrEqualToThreshold', Threshold: 1 });
      expect(alarm).toMatchObject({ EvaluationPeriods: 12, DatapointsToAlarm: 4 });
      expect(Metrics).toMatchObject([
        { Expression: 'FILL(errors, 0) + FILL(failed, 0) + FILL(throttles, 0)', ReturnData: true },
        { Id: 'errors', MetricStat: { Metric: ofLambda('Errors'), ...sum } },
        { Id: 'failed', MetricStat: { Metric: printedBy(worker, workerMetrics.retryable), ...sum } },
        { Id: 'throttles', MetricStat: { Metric: ofLambda('Throttles'), ...sum } },
      ]);
    },
  );

  test.each(eventTypes)('%s: the alarms describe the impact of the event', (event) => {
    for (const section of ['dead-letters', 'oldest-message', 'worker-errors', 'repeated-failures', 'throttled'])
      expect(stack.alarm(event, section).AlarmDescription).toBe(
        `${events[event].failureImpact}\n\nRunbook: docs/runbook.md#${section}`,
      );
  });

  test('the first quarantined webhook fires an alarm', () => {
    expect(stack.alarm('ingest', 'quarantined')).toMatchObject({
      ...atLeast(1),
      ...metricOf(stack.quarantine(), 'ApproximateNumberOfMessagesVisible'),
    });
  });

  test.each([
    ['too-large', ingestMetrics.too_large],
    ['secret-unreadable', secretUnreadableMetric],
  ])('%s fires at the first value of the metric that ingest prints', (section, metric) => {
    expect(stack.alarm('ingest', section)).toMatchObject({
      ...atLeast(1),
      Statistic: 'Sum',
      ...printedBy(stack.ingest(), metric),
    });
  });

  test('the first refused request of a day without a valid signature fires an alarm', () => {
    const { Metrics, ...alarm } = stack.alarm('ingest', 'all-refused');
    const { accepted, quarantined, too_large, bad_signature } = ingestMetrics;
    const [sum, ...metrics] = Metrics;
    expect(alarm).toMatchObject({
      ...{ ComparisonOperator: 'GreaterThanOrEqualToThreshold', Threshold: 1 },
      ...{ EvaluationPeriods: 1, TreatMissingData: 'notBreaching' },
    });
    expect(sum.Expression).toMatch(/^IF\(FILL\(\w+, 0\) \+ FILL\(\w+, 0\) \+ FILL\(\w+, 0\) == 0, refused, 0\)$/);
    expect(metrics.map(({ MetricStat }: Resource['Properties']) => MetricStat)).toEqual(
      [accepted, quarantined, too_large, bad_signature].map((name) => {
        return { Metric: printedBy(stack.ingest(), name), Period: 86_400, Stat: 'Sum' };
      }),
    );
  });

  test("the request alarm is derived from the gateway's throttle", () => {
    const { ThrottlingRateLimit } = stack.one('AWS::ApiGatewayV2::Stage').Properties.DefaultRouteSettings;
    expect(stack.alarm('ingest', 'near-request-limit').Threshold).toBe(ThrottlingRateLimit * 60 * 0.8);
  });

  test('every alarm notifies the topic, describes its impact in a sentence and links its section of the runbook', () => {
    for (const { AlarmActions, AlarmDescription } of alarms) {
      expect(AlarmActions).toEqual([topic]);
      expect(AlarmDescription).toMatch(/^[A-Z].{40,}\.\n\nRunbook: docs\/runbook\.md#[a-z-]+$/);
    }
  });

  test('missing data does not breach, except that a queue that reports nothing keeps the state of its alarm', () => {
    const others = alarms
      .filter(({ TreatMissingData }) => TreatMissingData !== 'notBreaching')
      .map(({ AlarmName, TreatMissingData }) => [AlarmName.split('/').at(-1), TreatMissingData]);
    expect(others).toEqual([...eventTypes.map(() => ['dead-letters', 'ignore']), ['quarantined', 'ignore']]);
  });

  test('only CloudWatch may publish to the topic', () => {
    const allowed = statementsIn(stack.one('AWS::SNS::TopicPolicy')).filter(({ effect }) => effect === 'Allow');
    expect(allowed).toMatchObject([
      { actions: ['sns:Publish'], resources: [topic], principal: { Service: 'cloudwatch.amazonaws.com' } },
    ]);
  });

  test('each function prints its metrics in the namespace of the stack, each worker with its event as dimension', () => {
    const namespaces = stack.all('AWS::Lambda::Function').map((lambda) => printedBy(lambda, 'Any').Namespace);
    expect(new Set(namespaces)).toEqual(new Set([stack.name]));
    for (const event of eventTypes)
      expect(printedBy(stack.worker(event), 'Any').Dimensions).toEqual([{ Name: 'service', Value: event }]);
  });
});

describe('with every option enabled', () => {
  const stack = readStack('connected');

  test('48 hours without an accepted webhook fire an alarm, also when ingest prints no metrics', () => {
    expect(stack.alarm('ingest', 'silence')).toMatchObject({
      ...{ ComparisonOperator: 'LessThanThreshold', Threshold: 1, Statistic: 'Sum' },
      ...{ EvaluationPeriods: 48, Period: 3_600, TreatMissingData: 'breaching' },
      ...printedBy(stack.ingest(), ingestMetrics.accepted),
    });
  });

  test("failures of Argyle's API fire one alarm, and not those of the workers", () => {
    const fetching = stack
      .alarm('argyle', 'documents-not-fetched')
      .Metrics.flatMap(
        ({ MetricStat }: { MetricStat?: { Metric: Resource['Properties'] } }) => MetricStat?.Metric ?? [],
      );
    expect(fetching).toHaveLength(eventTypes.length - 1);
    for (const { MetricName, Dimensions } of fetching) {
      expect(MetricName).toBe(documentMetrics.failed);
      for (const section of ['worker-errors', 'repeated-failures']) {
        const [sum] = stack.alarm(Dimensions[0].Value, section).Metrics;
        expect(sum.Expression).toContain(' - FILL(notFetched, 0)');
      }
    }
  });

  test('no alarm has more than the ten metrics that CloudWatch accepts, and their sum', () => {
    const counts = stack.all('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties.Metrics?.length ?? 1);
    expect(Math.max(...counts)).toBeLessThanOrEqual(11);
  });
});

test('the topic sends mail to the configured address, and has no subscription without one', () => {
  const { one, all } = readStack('production');
  expect(all('AWS::SNS::Subscription').map(({ Properties }) => Properties)).toEqual([
    { Protocol: 'email', Endpoint: 'ops@example.com', TopicArn: { Ref: one('AWS::SNS::Topic').id } },
  ]);
  readStack('sandbox').template.resourceCountIs('AWS::SNS::Subscription', 0);
});

function metricOf(queue: Resource, MetricName: string) {
  return {
    ...{ Namespace: 'AWS/SQS', MetricName, Statistic: 'Maximum' },
    Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queue.id, 'QueueName'] } }],
  };
}

// The metric that the deployed function would print, as CloudWatch reads it.
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
