import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { isArgyleRefusal } from '../argyle/argyle-refusal.ts';
import { isSetupError } from '../domain/setup-error.ts';
import { durationMetric } from '../metric-names.ts';

/** Why something failed: the closed list of codes that error lines carry. */
export type LogCode =
  | 'delivery_not_queued'
  | 'secret_unreadable'
  | 'record_failed'
  | 'records_not_postponed'
  | 'subscription_failed'
  | 'rotation_failed'
  | 'removals_held';

/** What the functions tell CloudWatch. Fields are ids, codes and numbers: never a body, signature, secret or file name. */
export type Telemetry = {
  /** Prints the one embedded-metric line of a request, a batch or a part of a run. */
  readonly measure: (metrics: Readonly<Record<string, number>>, fields: Fields) => void;
  /** Prints an error line; of the error, if there is one, only what cannot hold data: see `describeError`. */
  readonly error: (code: LogCode, error: unknown, fields: Fields) => void;
};

type Fields = Readonly<Record<string, string | number>>;

/** Telemetry through Powertools; namespace and service come from the environment. */
export function createTelemetry(): Telemetry {
  const metrics = new Metrics();
  const logger = new Logger();
  return {
    measure: (measured, fields) => {
      for (const [name, value] of Object.entries(measured)) {
        metrics.addMetric(name, name === durationMetric ? MetricUnit.Milliseconds : MetricUnit.Count, value);
      }
      for (const [name, value] of Object.entries(fields)) metrics.addMetadata(name, String(value));
      metrics.publishStoredMetrics();
    },
    error: (code, error, fields) =>
      logger.error(code, { ...fields, ...(error !== undefined && { cause: describeError(error) }) }),
  };
}

// The text of an AWS error, told by its `$fault`, names actions and resources, and ours are made for logs; any other text
// may quote what it choked on.
function describeError(error: unknown): Fields {
  if (!(error instanceof Error)) return { name: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const isTellable = '$fault' in error || isSetupError(error) || isArgyleRefusal(error);
  return { name: error.name, ...code, ...(isTellable && { message: error.message }) };
}
