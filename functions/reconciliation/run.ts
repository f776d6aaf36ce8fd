/** What a run has counted so far. */
export type RunCounts = {
  /** Uploads that Argyle lists. */
  readonly checked: number;
  readonly missing: number;
  readonly behind: number;
  /** Removed here, still listed. */
  readonly tombstonesListed: number;
  /** Entries of the list without ids of Argyle's form. */
  readonly unreadable: number;
  /** Records that are no tombstones. */
  readonly records: number;
  /** Records that Argyle does not list and that may be gone. */
  readonly candidates: number;
  /** Removals that were put on their queue. */
  readonly gone: number;
  /** Candidates that wait for a confirmation, as there were too many. */
  readonly held: number;
};

/**
 * One comparison of the records with Argyle's list, as it is kept between its parts. It lists, then scans the records for
 * what is not listed, then checks each of those.
 */
export type Run = {
  readonly id: string;
  readonly startedAt: string;
  readonly phase: 'list' | 'scan' | 'check' | 'done' | 'failed';
  /** The run before this one that looked for what is gone. */
  readonly previousRun?: string;
  /** How many removals somebody confirmed. */
  readonly confirmedRemovals: number;
  /** The full URL of the next page of Argyle's list. */
  readonly nextPage?: string | undefined;
  /** The key of the record after which the scan goes on. */
  readonly scannedTo?: string | undefined;
  /** Kept pieces of packed ids: all that are listed, and the candidates. */
  readonly listedChunks: number;
  readonly candidateChunks: number;
  /** The candidate to check next. */
  readonly checkNext: { readonly chunk: number; readonly index: number };
  readonly counts: RunCounts;
};

const nothingCounted: RunCounts = {
  checked: 0,
  missing: 0,
  behind: 0,
  tombstonesListed: 0,
  unreadable: 0,
  records: 0,
  candidates: 0,
  gone: 0,
  held: 0,
};

// Argyle's cursors may not live as long as that, and what was listed is no news any more.
const longestRunMs = 3 * 86_400_000;

/** A run that has done nothing yet. */
export function newRun(id: string, nowMs: number, previousRun: string | undefined): Run {
  return {
    id,
    startedAt: new Date(nowMs).toISOString(),
    phase: 'list',
    ...(previousRun && { previousRun }),
    confirmedRemovals: 0,
    listedChunks: 0,
    candidateChunks: 0,
    checkNext: { chunk: 0, index: 0 },
    counts: nothingCounted,
  };
}

/** Whether a kept run can go on: it has not ended, and began at most three days ago. */
export function isUnfinished(run: Run | undefined, nowMs: number): run is Run {
  return run !== undefined && !hasEnded(run) && nowMs - Date.parse(run.startedAt) <= longestRunMs;
}

/** Whether nothing is left to do, for good or ill. */
export function hasEnded({ phase }: Run): boolean {
  return phase === 'done' || phase === 'failed';
}

/** The run with so much more counted. */
export function counted(run: Run, more: Partial<RunCounts>): Run {
  return { ...run, counts: combine(run.counts, more, 1) };
}

/** What was counted since an earlier state of the run. */
export function countedSince(run: Run, earlier: Run): RunCounts {
  return combine(run.counts, earlier.counts, -1);
}

function combine(counts: RunCounts, others: Partial<RunCounts>, sign: 1 | -1): RunCounts {
  const names = Object.keys(nothingCounted) as (keyof RunCounts)[];
  return Object.fromEntries(
    names.map((name) => [name, counts[name] + sign * (others[name] ?? 0)]),
  ) as unknown as RunCounts;
}
