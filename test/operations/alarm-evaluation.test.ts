import { describe, expect, test } from 'vitest';
import { type AlarmRule, type Sample, stateOf } from '../support/alarm-rules.ts';
import { printedSamples } from '../support/builders/metric-samples.ts';

const nowMs = 1_800_000_000_000;
const minuteMs = 60_000;

describe('stateOf', () => {
  test.each([
    ['GreaterThanOrEqualToThreshold', 5, 'ALARM'],
    ['GreaterThanThreshold', 5, 'OK'],
    ['GreaterThanThreshold', 6, 'ALARM'],
    ['LessThanThreshold', 5, 'OK'],
    ['LessThanThreshold', 4, 'ALARM'],
    ['LessThanOrEqualToThreshold', 5, 'ALARM'],
  ] as const)('%s 5: the value %d is %s', (comparison, value, state) => {
    expect(stateOf(alarm({ comparison }), [sample(value)], nowMs)).toBe(state);
  });

  test.each([
    ['Sum', 10],
    ['Maximum', 4],
    ['Minimum', 1],
    ['Average', 2.5],
    ['SampleCount', 4],
    ['p50', 2],
    ['p99', 4],
  ])('evaluates the statistic %s of a period', (statistic, threshold) => {
    const samples = [1, 2, 3, 4].map((value) => sample(value));
    const state = (limit: number) => stateOf(alarm({ statistic, threshold: limit }), samples, nowMs);
    expect([state(threshold), state(threshold + 0.01)]).toEqual(['ALARM', 'OK']);
  });

  test.each([
    ['breaching', 'ALARM'],
    ['notBreaching', 'OK'],
    ['missing', 'INSUFFICIENT_DATA'],
  ] as const)('treats missing data as %s', (whenMissing, state) => {
    expect(stateOf(alarm({ whenMissing }), [], nowMs)).toBe(state);
  });

  test.each(['ALARM', 'OK'] as const)('remains %s when missing data is ignored', (before) => {
    expect(stateOf(alarm({ whenMissing: 'ignore' }), [], nowMs, before)).toBe(before);
  });

  test('needs as many breaching periods as DatapointsToAlarm', () => {
    const samples = [sample(9, 0), sample(0, minuteMs), sample(9, 2 * minuteMs)];
    const state = (datapointsToAlarm: number) =>
      stateOf(alarm({ evaluationPeriods: 3, datapointsToAlarm }), samples, nowMs);
    expect([state(2), state(3)]).toEqual(['ALARM', 'OK']);
  });

  test('ignores samples before its periods and after now', () => {
    expect(stateOf(alarm({}), [sample(9, minuteMs), sample(9, -1)], nowMs)).toBe('OK');
  });

  test('distinguishes metrics by namespace, name and all dimensions', () => {
    const others = [
      { ...sample(9), namespace: 'other' },
      { ...sample(9), metricName: 'other' },
      { ...sample(9), dimensions: { service: 'other' } },
      { ...sample(9), dimensions: {} },
      { ...sample(9), dimensions: { service: 'a', stage: 'b' } },
    ];
    expect(others.map((other) => stateOf(alarm({}), [other], nowMs))).toEqual(others.map(() => 'OK'));
  });

  test('evaluates expressions of metrics, some without data', () => {
    const metrics = ['a', 'b'].map((service) => ({ ...alarm({}).metrics[0], id: service, dimensions: { service } }));
    const state = (expression: string) =>
      stateOf({ ...alarm({}), expression, metrics: metrics as AlarmRule['metrics'] }, [sample(7)], nowMs);
    expect(state('FILL(a, 0) + FILL(b, 0)')).toBe('ALARM');
    expect(state('FILL(a, 0) - FILL(b, 3)')).toBe('OK');
    expect(state('a + b')).toBe('OK');
    expect(state('IF(FILL(b, 0) == 0, a, 0)')).toBe('ALARM');
    expect(state('IF(FILL(b, 1) == 0, a, 0)')).toBe('OK');
  });
});

test('printedSamples returns each value of an embedded-metric line, and nothing for other lines', () => {
  const _aws = {
    Timestamp: nowMs,
    CloudWatchMetrics: [{ Namespace: 'n', Dimensions: [['service']], Metrics: [{ Name: 'm' }, { Name: 'd' }] }],
  };
  const line = JSON.stringify({ _aws, service: 'a', m: 1, d: [2, 3] });
  expect(printedSamples(`function ${line}`).map(({ metricName, value }) => [metricName, value])).toEqual([
    ['m', 1],
    ['d', 2],
    ['d', 3],
  ]);
  expect(printedSamples('function {"level":"ERROR"}')).toEqual([]);
});

function sample(value: number, ageMs = 0): Sample {
  return { namespace: 'n', metricName: 'm', dimensions: { service: 'a' }, value, timeMs: nowMs - ageMs };
}

function alarm({ statistic = 'Sum', ...facts }: Partial<AlarmRule> & { statistic?: string }): AlarmRule {
  return {
    name: 'alarm',
    section: 'section',
    threshold: 5,
    comparison: 'GreaterThanOrEqualToThreshold',
    evaluationPeriods: 1,
    datapointsToAlarm: 1,
    whenMissing: 'notBreaching',
    periodMs: minuteMs,
    expression: 'm',
    metrics: [{ id: 'm', namespace: 'n', metricName: 'm', dimensions: { service: 'a' }, statistic }],
    ...facts,
  };
}
