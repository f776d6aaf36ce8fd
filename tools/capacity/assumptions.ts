/** What no template says, with a reason each; `npm run cost -- --assume NAME=VALUE` puts in another value. */
export type Assumptions = Readonly<Record<keyof typeof assumed, number>>;

const assumed = {
  ingestMs: [12, 'billed duration of ingest, most of it waiting for SQS'],
  workerMs: [12, 'billed duration of a batch of one, most of it waiting for DynamoDB'],
  workerMsPerRecord: [0.5, 'for each further record of a batch: they are written at once'],
  argyleMs: [300, "an answer of Argyle's API, added to a batch that asks it"],
  coldStartMs: [250, 'billed start of an execution environment'],
  environmentHours: [2, 'how long Lambda keeps an execution environment'],
  receiveMs: [10, 'what one receive takes the poller of Lambda'],
  deleteMs: [10, 'what one delete takes it'],
  failFastMs: [100, 'until a worker knows that DynamoDB refuses'],
  failSlowMs: [6_500, 'until a worker gives up on a DynamoDB that does not answer: the deadline of one call'],
  webhookBytes: [2_200, 'the largest recorded body of Argyle'],
  webhooksPerDocument: [3, 'added, one result of OCR, authenticity'],
  answerBytes: [400, 'an answer with its headers, below TLS'],
  logLineBytes: [26, 'what CloudWatch Logs adds to each line'],
  logCompression: [0.15, 'stored size of a log line, of its size when ingested'],
  tracedShare: [0.05, "X-Ray's default sampling, if tracing is on"],
  reconciliationMinutes: [5, 'a run of reconciliation, if there is one'],
} as const satisfies Record<string, readonly [number, string]>;

/** Each assumption's value and its reason. */
export const assumptions: Readonly<Record<string, readonly [value: number, why: string]>> = assumed;

/** All assumptions, some of them replaced. Throws a sentence for a name that is none, or a value that is no number. */
export function assume(replaced: readonly string[] = []): Assumptions {
  const values: Record<string, number> = Object.fromEntries(
    Object.entries(assumptions).map(([name, [value]]) => [name, value]),
  );
  for (const text of replaced) {
    const [, name = '', value] = /^(\w+)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
    if (value === undefined || !(name in values))
      throw new Error(
        `--assume ${text} is not allowed: use NAME=NUMBER with one of ${Object.keys(values).join(', ')}.`,
      );
    values[name] = Number(value);
  }
  return values as Assumptions;
}
