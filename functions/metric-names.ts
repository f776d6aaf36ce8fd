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

/** Time in the handler, milliseconds, per request or batch. */
export const durationMetric = 'DurationMs';

/** The service dimension of ingest's metrics. A worker's is its event type. */
export const ingestService = 'ingest';
