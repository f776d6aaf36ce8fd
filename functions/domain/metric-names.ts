/** CloudWatch metrics of ingest: one per request. The functions print them, and infra's alarms and dashboard read them. */
export const ingestMetrics = {
  accepted: 'Accepted',
  quarantined: 'Quarantined',
  bad_signature: 'BadSignature',
  too_large: 'TooLarge',
  unavailable: 'Unavailable',
} as const;

/** Printed beside `Unavailable` when the cause is that the webhook secret cannot be read. */
export const secretUnreadableMetric = 'SecretUnreadable';

/** One per record of a batch. */
export const workerMetrics = {
  applied: 'Applied',
  stale: 'Stale',
  retryable: 'FailedForNow',
  permanent: 'FailedForGood',
} as const;

/** One per record of a batch whose document was requested from Argyle. */
export const documentMetrics = {
  written: 'DocumentsWritten',
  older: 'DocumentsUnchanged',
  gone: 'DocumentsGone',
  failed: 'DocumentsNotFetched',
} as const;

/** One per step of a rotation. */
export const rotationMetrics = { failed: 'RotationStepsFailed' } as const;

/** One of each per invocation of reconciliation, for the work of that invocation. */
export const reconciliationMetrics = {
  checked: 'Checked',
  missing: 'Missing',
  behind: 'Behind',
  gone: 'Gone',
  tombstonesListed: 'TombstonesStillListed',
  held: 'RemovalsHeld',
  requests: 'ArgyleRequests',
} as const;

/** One per write to the table, if changes are published. */
export const changeMetrics = { published: 'ChangesPublished', invisible: 'ChangesInvisible' } as const;

/** Milliseconds in the handler, per request, batch or part of a run. */
export const durationMetric = 'DurationMs';

// Values of the metrics' `service` dimension. A worker's is its event type.
export const ingestService = 'ingest';
export const rotationService = 'rotation';
export const reconciliationService = 'reconciliation';
export const changesService = 'changes';
