// How ingest reads the webhook secret. The rotation's waiting times are derived from these.

/** Ingest answers within this time, so reading all versions of the secret takes no longer. */
export const ingestDeadlineMs = 6_500;

/** Ingest uses a cached secret for this time without reading it again. */
export const secretCacheMs = 60_000;

/** Ingest uses a cached secret for this time while reading it fails: 15 minutes. */
export const unreadableSecretCacheMs = 900_000;

/** The previous version stays valid for this time after the creation of the current one: 24 hours. */
export const previousSecretValidMs = 86_400_000;
