/** What a function's log line says: the metrics of a request or a batch, or why one message was not applied. */
export type PrintedLine = MetricLine | FailureLine;

/** The embedded-metric line of a request or a batch. */
export type MetricLine = {
  readonly kind: 'metrics';
  /** `ingest`, or the event type of a worker. */
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
  readonly isForGood: boolean;
  readonly reason: string;
};

/** Reads a line as the functions print it; undefined for any other. */
export function readPrintedLine(line: string): PrintedLine | undefined {
  if (line.includes('"CloudWatchMetrics"')) return metricLine(parse(line));
  return line.includes('"record_failed"') ? failureLine(parse(line)) : undefined;
}

type Printed = {
  readonly _aws?: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly { readonly Metrics: readonly { readonly Name: string }[] }[];
  };
} & Readonly<Record<string, unknown>>;

function parse(line: string): Printed {
  try {
    return JSON.parse(line);
  } catch {
    // A process that died in the middle of a line.
    return {};
  }
}

function metricLine({ _aws, service, ...fields }: Printed): MetricLine | undefined {
  if (!_aws || typeof service !== 'string') return undefined;
  const names = _aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name));
  const metrics = Object.fromEntries(names.map((name) => [name, sumOf(fields[name])]));
  return { kind: 'metrics', service, timeMs: _aws.Timestamp, metrics, fields };
}

function failureLine({ deliveryId, userUpload, kind, reason }: Printed): FailureLine | undefined {
  if (typeof deliveryId !== 'string' || typeof reason !== 'string') return undefined;
  const isForGood = kind === 'permanent';
  return { kind: 'failure', deliveryId, isForGood, reason, ...(typeof userUpload === 'string' && { userUpload }) };
}

// A metric that was added more than once is printed as a list.
function sumOf(value: unknown): number {
  return [value].flat().reduce<number>((sum, one) => sum + Number(one), 0);
}
