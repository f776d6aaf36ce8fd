import { LoggableError } from '../domain/loggable-error.ts';
import { durationMetric } from '../domain/metric-names.ts';
import { environment, readVariable } from './environment.ts';

/** All values of `message` in error lines. */
export type LogCode =
  | 'delivery_not_queued'
  | 'secret_unreadable'
  | 'record_failed'
  | 'records_not_postponed'
  | 'dead_letter_not_sent'
  | 'subscription_failed'
  | 'rotation_failed'
  | 'reconciliation_failed'
  | 'removals_held'
  | 'records_removed'
  | 'tombstones_listed'
  | 'upload_not_checked'
  | 'uploads_unreadable';

/** Metrics and logs. Fields are ids, codes and numbers: never a body, signature, secret or file name. */
export type Telemetry = {
  /** Prints a measure line with metrics and fields. A request, a batch or an invocation prints at most one. */
  readonly measure: (metrics: Readonly<Record<string, number>>, fields: Fields) => void;
  /** Prints an error line. For an error that is not loggable, it prints only the name and code: see `describeError`. */
  readonly error: (code: LogCode, error: unknown, fields: Fields) => void;
};

type Fields = Readonly<Record<string, string | number>>;

/** Creates telemetry that prints lines of JSON. docs/decisions/008 explains why it uses no library. */
export function createTelemetry(): Telemetry {
  const namespace = readVariable(environment.metricsNamespace);
  const service = readVariable(environment.serviceName);
  return {
    measure: (metrics, fields) =>
      print(process.stdout, { ...metricLine(namespace, metrics, fields), service, ...metrics }),
    error: (code, error, fields) =>
      print(process.stderr, {
        level: 'ERROR',
        message: code,
        timestamp: new Date().toISOString(),
        service,
        ...fields,
        ...(error !== undefined && { cause: describeError(error) }),
      }),
  };
}

// CloudWatch's embedded metric format: `_aws` lists which numbers of the line are metrics.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html, read
// 2026-11-24
function metricLine(namespace: string, metrics: Readonly<Record<string, number>>, fields: Fields): object {
  const Metrics = Object.keys(metrics).map((Name) => ({
    Name,
    Unit: Name === durationMetric ? 'Milliseconds' : 'Count',
  }));
  return {
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [{ Namespace: namespace, Dimensions: [['service']], Metrics }],
    },
    ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)])),
  };
}

// Does not use `console`: Lambda prepends the time and request id to its lines, which would then not be JSON.
function print(stream: NodeJS.WriteStream, line: object): void {
  stream.write(`${JSON.stringify(line)}\n`);
}

// AWS's service exceptions have a `$fault`, and their messages name only actions and resources. The message of any other
// error may contain the input that caused it. Its code is a fixed word, such as Node's ECONNRESET.
function describeError(error: unknown): Fields {
  if (!(error instanceof Error)) return { name: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const isLoggable = error instanceof LoggableError || '$fault' in error;
  return { name: error.name, ...code, ...(isLoggable && { message: error.message }) };
}
