/** CloudWatch metrics of ingest: each request prints one. The functions print them, and infra's alarms and dashboard read them. */
export const ingestMetrics = {
  accepted: 'Accepted',
  quarantined: 'Quarantined',
  bad_signature: 'BadSignature',
  too_large: 'TooLarge',
  unavailable: 'Unavailable',
} as const;

/** Printed in addition to `Unavailable` when the webhook secret cannot be read. */
export const secretUnreadableMetric = 'SecretUnreadable';

/** Metrics of a worker: each record of a batch counts in one. `permanent`: it became a dead letter. */
export const workerMetrics = {
  applied: 'Applied',
  stale: 'Stale',
  retryable: 'FailedForNow',
  permanent: 'FailedForGood',
} as const;

/**
 * Metrics of a worker: each record whose document was requested from Argyle counts in one, unless the worker gave it up because of
 * the request.
 */
export const documentMetrics = {
  written: 'DocumentsWritten',
  older: 'DocumentsUnchanged',
  gone: 'DocumentsGone',
  failed: 'DocumentsNotFetched',
} as const;

/** Metrics of reconciliation: each invocation prints all of them, for its own work. */
export const reconciliationMetrics = {
  checked: 'Checked',
  missing: 'Missing',
  behind: 'Behind',
  gone: 'Gone',
  tombstonesListed: 'TombstonesStillListed',
  held: 'RemovalsHeld',
  requests: 'ArgyleRequests',
  completed: 'RunsCompleted',
} as const;

/** Metrics of published changes: each write to the table counts in one. */
export const changeMetrics = { published: 'ChangesPublished', invisible: 'ChangesInvisible' } as const;

/** Milliseconds in the handler, per request, batch or part of a run. */
export const durationMetric = 'DurationMs';

// Values of the metrics' `service` dimension. A worker's is its event type.
export const ingestService = 'ingest';
export const rotationService = 'rotation';
export const reconciliationService = 'reconciliation';
export const changesService = 'changes';
