import { Duration, Stack } from 'aws-cdk-lib';
import { MathExpression, Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';

/** Returns a metric that a function prints to its log. @default the sum per minute */
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
 * Returns the sum of metrics. A metric without data counts as 0. An alarm accepts at most ten metrics.
 * @param period the period of the sum and of each metric
 */
export function sumOf(metrics: readonly Metric[], label: string, period = Duration.minutes(1)): MathExpression {
  // One graph may show several sums, so each id must identify exactly one metric.
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
