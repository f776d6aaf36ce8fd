/** A mutant that no quick test can kill, because it does the same as the code or needs the whole pipeline to be seen. */
export type EquivalentMutant = {
  readonly file: string;
  readonly mutator: string;
  /** The line that is mutated, without its indent. */
  readonly line: string;
  readonly replacement: string;
  readonly reason: string;
};

/** The survivors that are meant to survive. Simplify the code before you add to this list. */
export const equivalentMutants: readonly EquivalentMutant[] = [
  {
    file: 'functions/ingest/handler.ts',
    mutator: 'StringLiteral',
    line: "const body = Buffer.from(request.body ?? '', request.isBase64Encoded ? 'base64' : 'utf8');",
    replacement: '""',
    reason: 'Node takes an empty encoding for UTF-8.',
  },
  {
    file: 'functions/worker/apply-record.ts',
    mutator: 'StringLiteral',
    line: "Object.entries(messageAttributes).map(([name, { stringValue }]) => [name, stringValue ?? '']),",
    replacement: '"Stryker was here!"',
    reason: 'Either text is neither an encoding nor a time, and no other attribute is read.',
  },
  {
    file: 'functions/reconciliation/upload-id-set.ts',
    mutator: 'BlockStatement',
    line: 'for (const word of id) {',
    replacement: '{}',
    reason: 'The same set, only slower. What it takes at a million ids, `npm run test:scale` shows.',
  },
  {
    file: 'functions/ingest/handler.ts',
    mutator: 'CallExpression',
    line: 'secrets.readAhead(callDeadline());',
    replacement: ';',
    reason:
      'The same answers, only later: the first request reads the secret. What it is worth, `npm run bench` shows.',
  },
  {
    file: 'functions/worker/handler.ts',
    mutator: 'ObjectLiteral',
    line: 'return createEnrich({',
    replacement: '{}',
    reason: 'Noticed where the bundle asks the fake Argyle, test/end-to-end/enrichment.test.ts, which takes seconds.',
  },
];
