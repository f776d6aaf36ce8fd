// How ingest reads the webhook secret, and the waits of the rotation that follow from it.

/** Ingest answers within this time, so no read of the secret takes longer. */
export const ingestDeadlineMs = 6_500;

/** A delivery waits at most this long for a refresh while a cached secret matches its signature. */
export const secretRefreshMs = 2_000;

/** Ingest uses a cached secret for this time without reading it again. */
export const secretCacheMs = 60_000;

/** Ingest uses a cached secret for this time while reading it fails: 15 minutes. */
export const unreadableSecretCacheMs = 900_000;

/**
 * The minimum time between two reads of all stages, which a signature that matches no cached secret causes. Ingest answers 401 only if
 * such a read succeeded and started at most this long ago, so all answers of Secrets Manager that a 401 relies on are at most this old.
 */
export const mismatchReadIntervalMs = 10_000;

/** The minimum time between two reads of the current secret while ingest has no secret that it may use. */
export const coldReadIntervalMs = 1_000;

/** The previous version stays valid for this time after the creation of the current one: 24 hours. */
export const previousSecretValidMs = 86_400_000;

// AWS does not document how soon all of Secrets Manager returns a change. One minute is a margin for that.
const propagationMs = 60_000;

/** After this time, ingest no longer answers 401 because of a read that does not contain a new version. */
export const newVersionSeenMs = mismatchReadIntervalMs + propagationMs;

/**
 * The time between two moves of stages. It is longer than the reads that one 401 relies on, so those reads find a moving version under
 * at least one of its stages.
 */
export const stagesReadMs = mismatchReadIntervalMs + propagationMs;
