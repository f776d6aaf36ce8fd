import { compileFunction } from 'node:vm';
import { type LocalStack, type Properties, resolve, type Template } from '../../tools/local/template.ts';

/** The value of a metric at one point in time. */
export type Sample = {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
  readonly timeMs: number;
};

/** An alarm of the template. */
export type AlarmRule = {
  readonly name: string;
  /** Its section in docs/runbook.md. */
  readonly section: string;
  readonly threshold: number;
  readonly comparison: keyof typeof comparisons;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly whenMissing: 'breaching' | 'notBreaching' | 'ignore' | 'missing';
  readonly periodMs: number;
  /** An expression whose variables are the ids of the metrics. */
  readonly expression: string;
  readonly metrics: readonly WatchedMetric[];
};

type WatchedMetric = Omit<Sample, 'value' | 'timeMs'> & { readonly id: string; readonly statistic: string };
type State = 'ALARM' | 'OK' | 'INSUFFICIENT_DATA';

const comparisons = {
  GreaterThanOrEqualToThreshold: (value: number, threshold: number) => value >= threshold,
  GreaterThanThreshold: (value: number, threshold: number) => value > threshold,
  LessThanThreshold: (value: number, threshold: number) => value < threshold,
  LessThanOrEqualToThreshold: (value: number, threshold: number) => value <= threshold,
};

/** The alarms of a template, with their dimensions resolved to names in the provisioned stack. Throws for an unknown form. */
export function readAlarms({ template, identities }: LocalStack): readonly AlarmRule[] {
  return template.ofType('AWS::CloudWatch::Alarm').map(({ properties }): AlarmRule => {
    const { AlarmName, AlarmDescription, EvaluationPeriods, DatapointsToAlarm = EvaluationPeriods } = properties;
    const queries: Properties[] = properties.Metrics ?? [
      { Id: 'value', ReturnData: true, MetricStat: plainMetric(properties) },
    ];
    const metrics = queries.filter(({ MetricStat }) => MetricStat);
    const [result, ...others] = queries.filter(({ ReturnData }) => ReturnData !== false);
    const [period, ...otherPeriods] = new Set(metrics.map(({ MetricStat }) => MetricStat.Period));
    if (!result || others.length + otherPeriods.length > 0 || !(properties.ComparisonOperator in comparisons))
      throw new Error(`The evaluator does not support the form of the alarm ${AlarmName}.`);
    return {
      name: AlarmName,
      section: /#([\w-]+)$/.exec(AlarmDescription)?.[1] ?? '',
      threshold: properties.Threshold,
      comparison: properties.ComparisonOperator,
      evaluationPeriods: EvaluationPeriods,
      datapointsToAlarm: DatapointsToAlarm,
      whenMissing: properties.TreatMissingData ?? 'missing',
      periodMs: period * 1_000,
      expression: result.Expression ?? result.Id,
      metrics: metrics.map(({ Id, MetricStat: { Metric, Stat } }) => ({
        id: Id,
        namespace: Metric.Namespace,
        metricName: Metric.MetricName,
        dimensions: Object.fromEntries(
          resolve<Properties[]>(Metric.Dimensions ?? [], identities).map(({ Name, Value }) => [Name, Value]),
        ),
        statistic: Stat,
      })),
    };
  });
}

/** The only alarm of a section of the runbook, with the logical id of each queue as its name. Throws unless there is one. */
export function readAlarm(template: Template, section: string): AlarmRule {
  const queues = template.ofType('AWS::SQS::Queue').map(({ logicalId }) => logicalId);
  const identities = new Map(queues.map((id) => [id, { ref: id, attributes: { QueueName: id } }]));
  const ofType = (type: string) =>
    template.ofType(type).filter(({ properties }) => properties.AlarmName.endsWith(`/${section}`));
  const [alarm, ...others] = readAlarms({ template: { ...template, ofType }, identities });
  if (!alarm || others.length > 0) throw new Error(`There is not exactly one alarm ${section}.`);
  return alarm;
}

/**
 * The state of an alarm at a time. Unlike CloudWatch it evaluates only the evaluation periods and never replaces missing
 * data with older data. `before` is the state that the alarm keeps when missing data is ignored.
 */
export function stateOf(alarm: AlarmRule, samples: readonly Sample[], nowMs: number, before: State = 'OK'): State {
  const values = Array.from({ length: alarm.evaluationPeriods }, (_, age) =>
    valueAt(alarm, samples, nowMs - age * alarm.periodMs),
  );
  const isBreaching = (value: number | undefined) =>
    value === undefined ? alarm.whenMissing === 'breaching' : comparisons[alarm.comparison](value, alarm.threshold);
  if (values.filter(isBreaching).length >= alarm.datapointsToAlarm) return 'ALARM';
  if (values.some((value) => value !== undefined)) return 'OK';
  if (alarm.whenMissing === 'ignore') return before;
  return alarm.whenMissing === 'missing' ? 'INSUFFICIENT_DATA' : 'OK';
}

// The value of the period that ends at `endMs`. A metric without data is undefined, which makes a sum NaN.
function valueAt(alarm: AlarmRule, samples: readonly Sample[], endMs: number): number | undefined {
  const known = alarm.metrics.map((metric) => {
    const values = samples
      .filter((sample) => sample.timeMs > endMs - alarm.periodMs && sample.timeMs <= endMs && isOf(metric, sample))
      .map(({ value }) => value);
    return [metric.id, values.length > 0 ? statisticOf(metric.statistic, values) : undefined] as const;
  });
  const FILL = (value: number | undefined, filling: number) => value ?? filling;
  const IF = (isTrue: boolean, then: number, otherwise: number) => (isTrue ? then : otherwise);
  const evaluate = compileFunction(`return ${alarm.expression}`, ['FILL', 'IF', ...known.map(([id]) => id)]);
  const value: unknown = evaluate(FILL, IF, ...known.map(([, metric]) => metric));
  return typeof value === 'number' && !Number.isNaN(value) ? value : undefined;
}

function isOf({ namespace, metricName, dimensions }: WatchedMetric, sample: Sample): boolean {
  const names = new Set([...Object.keys(dimensions), ...Object.keys(sample.dimensions)]);
  return (
    sample.namespace === namespace &&
    sample.metricName === metricName &&
    [...names].every((name) => dimensions[name] === sample.dimensions[name])
  );
}

function statisticOf(statistic: string, values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  const sorted = values.toSorted((a, b) => a - b);
  const percentile = /^p(\d+(\.\d+)?)$/.exec(statistic)?.[1];
  if (percentile) return sorted[Math.max(0, Math.ceil((Number(percentile) / 100) * sorted.length) - 1)] ?? Number.NaN;
  const known: Readonly<Record<string, number | undefined>> = {
    Sum: sum,
    Average: sum / values.length,
    Minimum: sorted[0],
    Maximum: sorted.at(-1),
    SampleCount: values.length,
  };
  const value = known[statistic];
  if (value === undefined) throw new Error(`The evaluator does not support the statistic ${statistic}.`);
  return value;
}

function plainMetric(properties: Properties): Properties {
  const { Namespace, MetricName, Dimensions, Period, Statistic, ExtendedStatistic } = properties;
  return { Metric: { Namespace, MetricName, Dimensions }, Period, Stat: Statistic ?? ExtendedStatistic };
}
