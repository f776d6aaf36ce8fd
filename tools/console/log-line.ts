/** A function's log line: the metrics of a request or a batch, or the failure of one message. */
export type LogLine = MetricLine | FailureLine;

/** The embedded-metric line of a request or a batch. `service`: `ingest`, or the event type of a worker. */
export type MetricLine = {
  readonly kind: 'metrics';
  readonly service: string;
  readonly timeMs: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly fields: Readonly<Record<string, unknown>>;
};

/** The error line of a message that a worker could not apply. */
export type FailureLine = {
  readonly kind: 'failure';
  readonly deliveryId: string;
  readonly userUpload?: string;
  readonly isPermanent: boolean;
  readonly reason: string;
};

type Fields = {
  readonly _aws?: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly { readonly Metrics: readonly { readonly Name: string }[] }[];
  };
} & Readonly<Record<string, unknown>>;

/** Parses a line that the functions print. Returns undefined for any other line. */
export function parseLogLine(line: string): LogLine | undefined {
  if (!line.includes('"CloudWatchMetrics"') && !line.includes('"record_failed"')) return undefined;
  try {
    const fields: Fields = JSON.parse(line);
    return metricLine(fields) ?? failureLine(fields);
  } catch {
    // The process was killed in the middle of the line.
    return undefined;
  }
}

function metricLine({ _aws, service, ...fields }: Fields): MetricLine | undefined {
  if (!_aws || typeof service !== 'string') return undefined;
  const names = _aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name));
  // A metric that was added several times is printed as a list.
  const sumOf = (value: unknown) => [value].flat().reduce<number>((sum, one) => sum + Number(one), 0);
  const metrics = Object.fromEntries(names.map((name) => [name, sumOf(fields[name])]));
  return { kind: 'metrics', service, timeMs: _aws.Timestamp, metrics, fields };
}

function failureLine({ deliveryId, userUpload, kind, reason }: Fields): FailureLine | undefined {
  if (typeof deliveryId !== 'string' || typeof reason !== 'string') return undefined;
  const isPermanent = kind === 'permanent';
  return { kind: 'failure', deliveryId, isPermanent, reason, ...(typeof userUpload === 'string' && { userUpload }) };
}
