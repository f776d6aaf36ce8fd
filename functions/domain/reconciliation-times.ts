// How long a run of reconciliation and its saved state last. Numbers that depend on each other are derived here.

const dayMs = 86_400_000;

/** A run does not continue after three days: Argyle's cursors may have expired, and the saved ids are out of date. */
export const maxRunMs = 3 * dayMs;

/** The time-out of the function: Lambda's maximum. */
export const reconciliationTimeoutMs = 15 * 60_000;

/** Time reserved out of the time-out: after the last check of the clock, a page with its events may take 45 s. */
export const reserveMs = 60_000;

/** The time in which one invocation starts new steps of a run. */
export const maxPartMs = reconciliationTimeoutMs - reserveMs;

/** The maximum of the setting `reconciliationHours`: 30 days. */
export const maxHoursBetweenRuns = 720;

/** The saved ids of a run are kept for twice its maximum duration and a day. */
export const chunkDays = (2 * maxRunMs) / dayMs + 1;

/**
 * A miss is kept until the second next run, and ten days longer for late runs. A removal can be undone for this time after it was
 * queued.
 */
export const missDays = (2 * maxHoursBetweenRuns) / 24 + 10;
