/** Values that the bill and the simulation need and that the template does not contain. */
export type Assumptions = Readonly<Record<keyof typeof defaults, number>>;

// Sizes of log lines and records: measured 2026-11-24 with the bundled functions in the local pipeline. A test compares them with
// what the functions log and store now.
const defaults = {
  ingestMs: [12, 'billed duration of ingest, mostly waiting for SQS'],
  workerMs: [12, 'billed duration of a batch of one, mostly waiting for DynamoDB'],
  workerMsPerRecord: [0.5, 'for each further record of a batch: records are written in parallel'],
  argyleMs: [300, "response time of Argyle's API, added to each batch that fetches documents"],
  coldStartMs: [250, 'initialization of an execution environment'],
  receiveMs: [10, 'duration of one ReceiveMessage call of a poller'],
  deleteMs: [10, 'duration of one DeleteMessageBatch call of a poller'],
  failFastMs: [100, 'until a worker fails when DynamoDB returns errors'],
  failSlowMs: [6_500, 'until a worker fails when DynamoDB does not answer: the time-out of one call'],
  webhookBytes: [2_200, 'the largest recorded body of a webhook'],
  webhooksPerDocument: [3, 'added, one OCR result, authenticity'],
  responseBytes: [400, 'a response with its headers, without TLS'],
  secretReads: [1, 'reads of the webhook secret by an environment of ingest, every 60 s'],
  ingestLogBytes: [404, "ingest's log line for one webhook"],
  workerLogBytes: [537, "a worker's log line for a batch of one"],
  workerLogBytesPerRecord: [54, 'for each further record of a batch'],
  documentLogBytes: [260, "added to a worker's log line when it fetches documents"],
  platformLogBytes: [261, "Lambda's START, END and REPORT lines of one invocation"],
  logEventBytes: [26, 'overhead that CloudWatch Logs bills for each line'],
  logCompression: [0.15, 'stored size of a log line, relative to its ingested size'],
  recordBytes: [319, 'an upload record with all slots, without a document'],
  documentBytes: [136, 'the document in an upload record'],
} as const satisfies Record<string, readonly [number, string]>;

/** The default and the meaning of each assumption. */
export const assumptions: Readonly<Record<string, readonly [value: number, meaning: string]>> = defaults;

/** Returns all assumptions, with `replacements` of the form NAME=NUMBER applied. Throws for an unknown name or another form. */
export function assume(replacements: readonly string[] = []): Assumptions {
  const values: Record<string, number> = Object.fromEntries(
    Object.entries(assumptions).map(([name, [value]]) => [name, value]),
  );
  for (const text of replacements) {
    const [, name = '', value] = /^(\w+)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
    if (value === undefined || !(name in values))
      throw new Error(
        `--assume ${text} is not allowed: use NAME=NUMBER with one of ${Object.keys(values).join(', ')}.`,
      );
    values[name] = Number(value);
  }
  return values as Assumptions;
}
