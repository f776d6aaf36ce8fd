/** A mutant that no quick test can kill: it behaves like the code, or only the whole pipeline shows the difference. */
export type EquivalentMutant = {
  readonly file: string;
  readonly mutator: string;
  /** The mutated line without its indentation. */
  readonly line: string;
  readonly replacement: string;
  readonly reason: string;
};

/** The mutants that may survive. Simplify the code before you add to this list. */
export const equivalentMutants: readonly EquivalentMutant[] = [
  {
    file: 'functions/ingest/handler.ts',
    mutator: 'StringLiteral',
    line: "const body = Buffer.from(request.body ?? '', request.isBase64Encoded ? 'base64' : 'utf8');",
    replacement: '""',
    reason: 'Node treats an empty encoding as UTF-8.',
  },
  {
    file: 'functions/worker/apply-record.ts',
    mutator: 'StringLiteral',
    line: "Object.entries(messageAttributes).map(([name, { stringValue }]) => [name, stringValue ?? '']),",
    replacement: '"Stryker was here!"',
    reason: 'Neither text is an encoding or a time, and no other attribute is read.',
  },
  {
    file: 'functions/reconciliation/upload-id-set.ts',
    mutator: 'BlockStatement',
    line: 'for (const word of id) {',
    replacement: '{}',
    reason: 'Results in the same set, only slower. `npm run proof -- scale` shows the time for a million ids.',
  },
  {
    file: 'functions/ingest/handler.ts',
    mutator: 'CallExpression',
    line: 'secrets.readAhead();',
    replacement: ';',
    reason:
      'Results in the same answers, only later: the first request reads the secret. `npm run bench` shows the time.',
  },
  {
    file: 'functions/domain/envelope.ts',
    mutator: 'StringLiteral',
    line: "return JSON.parse(decodeUtf8(body) ?? '');",
    replacement: '"Stryker was here!"',
    reason: 'Neither text is JSON, so the body is malformed.',
  },
  {
    file: 'functions/worker/enrich-record.ts',
    mutator: 'StringLiteral',
    line: "if (upload?.id !== userUpload) return { kind: 'failed', error: argyleError({ kind: 'refused', status: 200 }) };",
    replacement: '""',
    reason: 'argyleError only distinguishes `not_found` and `unavailable` from other kinds.',
  },
  {
    file: 'functions/worker/handler.ts',
    mutator: 'ObjectLiteral',
    line: 'return createEnrich({',
    replacement: '{}',
    reason: 'Fails in test/end-to-end/enrichment.test.ts, where the bundle calls the fake Argyle. That takes seconds.',
  },
  {
    file: 'functions/record-changes/stream-record-reader.ts',
    mutator: 'StringLiteral',
    line: "export function readStreamRecord({ eventID = '', dynamodb = {}, userIdentity }: DynamoDBRecord): RecordWrite {",
    replacement: '"Stryker was here!"',
    reason: 'Only the type lets a record lack its id: DynamoDB sends one with each record.',
  },
  {
    file: 'functions/record-changes/stream-record-reader.ts',
    mutator: 'OptionalChaining',
    line: 'userUpload: String(recordOf(dynamodb.Keys)?.userUpload),',
    replacement: 'recordOf(dynamodb.Keys).userUpload',
    reason: 'Only the type lets a record lack its keys: DynamoDB sends them with each record.',
  },
];
