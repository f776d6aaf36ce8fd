import { ListError } from '../argyle/argyle-api.ts';
import { isArgyleRefusal } from '../argyle/argyle-error.ts';
import { durationMetric } from '../domain/metric-names.ts';
import { isSetupError } from '../domain/setup-error.ts';
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
  /** Prints an error line; of the error, if there is one, only what cannot hold data: see `describeError`. */
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

// The text of an AWS error, told by its `$fault`, names actions and resources, and ours are made for logs; any other text
// may quote what it choked on.
function describeError(error: unknown): Fields {
  if (!(error instanceof Error)) return { name: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const isTellable = error instanceof ListError || '$fault' in error || isSetupError(error) || isArgyleRefusal(error);
  return { name: error.name, ...code, ...(isTellable && { message: error.message }) };
}
