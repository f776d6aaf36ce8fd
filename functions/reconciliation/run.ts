import { type ListPosition, listStart } from '../argyle/list-pages.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import { maxPartMs, maxRunMs } from '../domain/reconciliation-times.ts';

const zeroCounts = {
  /** Uploads that Argyle lists. */
  checked: 0,
  missing: 0,
  behind: 0,
  /** Uploads that Argyle lists although their record was removed before the run. */
  tombstonesListed: 0,
  /** Entries of the list without valid ids. */
  unreadable: 0,
  /** Records, without tombstones. */
  records: 0,
  /** Records that are old enough to be removed and have a user, which only a webhook names. */
  eligible: 0,
  /** Records that Argyle does not list and that are old enough to be removed. */
  candidates: 0,
  /** Removals that were queued. */
  gone: 0,
  /** Candidates that wait for a confirmation, because there are too many. */
  held: 0,
};

/** The counts of a run so far, over all its invocations. */
export type RunCounts = Readonly<typeof zeroCounts>;

/**
 * The saved state of one comparison of the records with Argyle's list, which may take several invocations. Its phases: read the
 * list, scan the records for uploads that are not listed, check each of those by its id.
 */
export type Run = ListPosition & {
  readonly id: string;
  readonly startedAt: string;
  readonly phase: 'list' | 'scan' | 'check' | 'done' | 'failed';
  /** The last run before this one that completed its checks. */
  readonly previousRun?: string;
  /** The number of removals that an operator confirmed. */
  readonly confirmedRemovals: number;
  /** The number of invocations that have worked on the run. */
  readonly parts: number;
  /** The key of the record after which the scan continues. */
  readonly scannedTo?: string | undefined;
  /** The numbers of saved chunks of packed ids: of all listed uploads, and of the candidates. */
  readonly listedChunks: number;
  readonly candidateChunks: number;
  /** The candidate to check next. */
  readonly checkNext: { readonly chunk: number; readonly index: number };
  readonly counts: RunCounts;
};

// The number of full parts that fit into the maximum duration of a run. A run that needs more makes too little progress.
const maxParts = Math.ceil(maxRunMs / maxPartMs);

/** Thrown for a run that must not continue. The next run starts again. */
export class RunLimitError extends LoggableError {}

/** Creates a run, which starts with the first page of the list. */
export function newRun(id: string, nowMs: number, previousRun: string | undefined): Run {
  return {
    id,
    startedAt: new Date(nowMs).toISOString(),
    phase: 'list',
    ...(previousRun && { previousRun }),
    ...listStart,
    parts: 0,
    confirmedRemovals: 0,
    listedChunks: 0,
    candidateChunks: 0,
    checkNext: { chunk: 0, index: 0 },
    counts: zeroCounts,
  };
}

/** Whether a saved run can continue: it has not ended, and started at most three days ago. Older cursors of Argyle may be invalid. */
export function isUnfinished(run: Run | undefined, nowMs: number): run is Run {
  return run !== undefined && !hasEnded(run) && nowMs - Date.parse(run.startedAt) <= maxRunMs;
}

/**
 * Returns a saved run for its next part. A part of an earlier release may have saved it, without the newer attributes. Throws a
 * RunLimitError when it has had the maximum of parts.
 */
export function nextPart(saved: Run): Run {
  const run = { ...newRun(saved.id, 0, undefined), ...saved, counts: { ...zeroCounts, ...saved.counts } };
  if (run.parts >= maxParts)
    throw new RunLimitError(`The run has not ended after ${maxParts} parts, the maximum: the next run starts again.`);
  return { ...run, parts: run.parts + 1 };
}

/** Whether a run is done or has failed. */
export function hasEnded({ phase }: Run): boolean {
  return phase === 'done' || phase === 'failed';
}

export function addCounts(run: Run, more: Partial<RunCounts>): Run {
  return { ...run, counts: combine(run.counts, more, 1) };
}

/** Returns the counts since an earlier state of the run. */
export function countsSince(run: Run, earlier: Run): RunCounts {
  return combine(run.counts, earlier.counts, -1);
}

function combine(counts: RunCounts, others: Partial<RunCounts>, sign: 1 | -1): RunCounts {
  const names = Object.keys(zeroCounts) as (keyof RunCounts)[];
  return Object.fromEntries(
    names.map((name) => [name, counts[name] + sign * (others[name] ?? 0)]),
  ) as unknown as RunCounts;
}
