import { LoggableError } from '../domain/loggable-error.ts';
import { durationMetric } from '../domain/metric-names.ts';
import { environment, readVariable } from './environment.ts';

/** Why something failed: the closed list of codes that error lines carry. */
export type LogCode =
  | 'delivery_not_queued'
  | 'secret_unreadable'
  | 'record_failed'
  | 'records_not_postponed'
  | 'subscription_failed'
  | 'rotation_failed'
  | 'reconciliation_failed'
  | 'removals_held';

/** What the functions tell CloudWatch. Fields are ids, codes and numbers: never a body, signature, secret or file name. */
export type Telemetry = {
  /** Prints the one embedded-metric line of a request, a batch or a part of a run. */
  readonly measure: (metrics: Readonly<Record<string, number>>, fields: Fields) => void;
  /** Prints an error line. Of an error that is not loggable it prints only the name and code: see `describeError`. */
  readonly error: (code: LogCode, error: unknown, fields: Fields) => void;
};

type Fields = Readonly<Record<string, string | number>>;

/** Telemetry as lines of JSON; namespace and service come from the environment. Why no library: docs/decisions/008. */
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

// CloudWatch's embedded metric format: `_aws` says which of the line's numbers are metrics.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html, read 2026-11-24
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

// Not through `console`: Lambda puts time and request id before what that prints, and the line would be no JSON.
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
