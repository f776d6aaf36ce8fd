import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

type Fields = Readonly<Record<string, string | number>>;

/** Takes the place of functions/aws/telemetry.ts: the same lines through Powertools, as they were printed before. */
export function createTelemetry() {
  const [namespace, serviceName] = [process.env.METRICS_NAMESPACE ?? '', process.env.SERVICE_NAME ?? ''];
  const metrics = new Metrics({ namespace, serviceName });
  const logger = new Logger({ serviceName });
  return {
    measure: (measured: Readonly<Record<string, number>>, fields: Fields) => {
      for (const [name, value] of Object.entries(measured))
        metrics.addMetric(name, name === 'DurationMs' ? MetricUnit.Milliseconds : MetricUnit.Count, value);
      for (const [name, value] of Object.entries(fields)) metrics.addMetadata(name, String(value));
      metrics.publishStoredMetrics();
    },
    error: (code: string, error: unknown, fields: Fields) => logger.error(code, { ...fields, cause: String(error) }),
  };
}
