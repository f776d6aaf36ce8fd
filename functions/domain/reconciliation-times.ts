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

/** The maximum of the setting `reconciliationHours`: its alarm evaluates twice this time, and CloudWatch at most seven days. */
export const maxHoursBetweenRuns = 84;

/** The saved ids of a run are kept for twice its maximum duration and a day. */
export const chunkDays = (2 * maxRunMs) / dayMs + 1;

/**
 * A removal can be undone for this time after it was queued, because its miss is kept as long. A miss must last until the second
 * next run, which is far less.
 */
export const missDays = 70;
