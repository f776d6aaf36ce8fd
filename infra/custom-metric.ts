import { Duration, Stack } from 'aws-cdk-lib';
import { MathExpression, Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';

/** A metric that a function writes to its log. @default the sum per minute */
export function customMetric(
  scope: Construct,
  service: string,
  metricName: string,
  options: MetricOptions = {},
): Metric {
  return new Metric({
    namespace: Stack.of(scope).stackName,
    metricName,
    dimensionsMap: { service },
    period: Duration.minutes(1),
    statistic: Stats.SUM,
    ...options,
  });
}

/**
 * The sum of metrics. A metric without data counts as 0. An alarm accepts at most ten metrics.
 * @param period of the sum and of each of the metrics
 */
export function sumOf(metrics: readonly Metric[], label: string, period = Duration.minutes(1)): MathExpression {
  // One graph may show several sums: an id must not stand for two metrics.
  const named = metrics.map((metric) => [idOf(metric), metric.with({ period })] as const);
  return new MathExpression({
    expression: named.map(([name]) => `FILL(${name}, 0)`).join(' + '),
    usingMetrics: Object.fromEntries(named),
    label,
    period,
  });
}

function idOf({ metricName, dimensions = {} }: Metric): string {
  return ['m', ...Object.values(dimensions), metricName].join('_').replaceAll(/\W/g, '_');
}
