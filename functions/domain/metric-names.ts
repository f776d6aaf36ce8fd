/** CloudWatch metrics that the functions print, named once for them and for the alarms. No SDK here. */
export const ingestMetrics = {
  accepted: 'Accepted',
  quarantined: 'Quarantined',
  bad_signature: 'BadSignature',
  too_large: 'TooLarge',
  unavailable: 'Unavailable',
} as const;

/** Beside `Unavailable`, when it was the webhook secret that could not be read. */
export const secretUnreadableMetric = 'SecretUnreadable';

/** One per record of a batch. */
export const workerMetrics = {
  applied: 'Applied',
  stale: 'Stale',
  retryable: 'FailedForNow',
  permanent: 'FailedForGood',
} as const;

/** One per record of a batch for which Argyle was asked. */
export const documentMetrics = {
  written: 'DocumentsWritten',
  older: 'DocumentsUnchanged',
  gone: 'DocumentsGone',
  failed: 'DocumentsNotFetched',
} as const;

/** One per step of a rotation. */
export const rotationMetrics = { failed: 'RotationStepsFailed' } as const;

/** One each time the reconciliation function runs, of what it did in that time. */
export const reconciliationMetrics = {
  checked: 'Checked',
  missing: 'Missing',
  behind: 'Behind',
  gone: 'Gone',
  tombstonesListed: 'TombstonesStillListed',
  held: 'RemovalsHeld',
  requests: 'ArgyleRequests',
} as const;

/** One per write to the table, where changes are published. */
export const changeMetrics = { published: 'ChangesPublished', invisible: 'ChangesInvisible' } as const;

/** Time in the handler, milliseconds, per request, batch or part of a run. */
export const durationMetric = 'DurationMs';

/** The service dimension of reconciliation's metrics. */
export const reconciliationService = 'reconciliation';

/** The service dimension of ingest's metrics. A worker's is its event type. */
export const ingestService = 'ingest';

/** The service dimension of the rotation's metrics. */
export const rotationService = 'rotation';

/** The service dimension of what describes changes of records. */
export const changesService = 'changes';
