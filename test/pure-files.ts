/** Rules without an SDK, environment, clock or randomness: the whole of `functions/domain/`, and rules of one feature. */
export const pureFiles =
  /^functions\/(domain\/.*|ingest\/signature|record-changes\/record-change|reconciliation\/(run|removal-rule|upload-comparison|upload-id-set))\.ts$/;
