import { type Miss, removalsOf } from '../domain/miss.ts';
import { removalSlot } from '../domain/upload-record.ts';
import type { Run } from './run.ts';
import type { KnownRecord } from './upload-comparison.ts';

const minRecordAgeMs = 24 * 3_600_000;
const minMissedMs = 12 * 3_600_000;

// The documents of one account may disappear together, even in a stack with few records.
const minRemovals = 3;
// Up to this number, a tenth of the eligible records may be removed without a confirmation. More than this only within a hundredth.
const maxTenth = 20;

/**
 * Whether a record that Argyle does not list may have to be removed: it is not a tombstone, and was over 24 h old when the run
 * started. A younger record's document may have been uploaded while Argyle created its list.
 */
export function isRemovalCandidate({ slots }: KnownRecord, startedAt: string): boolean {
  const [earliest = startedAt] = Object.values(slots).sort();
  return !slots[removalSlot] && Date.parse(startedAt) - Date.parse(earliest) > minRecordAgeMs;
}

/**
 * Whether a record counts for the maximum of removals: it is old enough to be removed, and a webhook of its document arrived. Only
 * webhooks name the user, so a record without one was imported from Argyle's list, perhaps from the list of another workspace.
 */
export function isEligible(record: KnownRecord, startedAt: string): boolean {
  return record.user !== undefined && isRemovalCandidate(record, startedAt);
}

/**
 * Returns the maximum number of removals of one run: 3, or 10 % of the eligible records but at most 20, or 1 % of them, or the
 * confirmed number, whichever is largest. A larger number suggests a mistake, such as an incomplete list.
 */
export function maxRemovals(eligible: number, confirmed: number): number {
  const tenth = Math.min(maxTenth, Math.floor(eligible / 10));
  return Math.max(minRemovals, tenth, Math.floor(eligible / 100), confirmed);
}

/**
 * Returns the miss to save after a run found a document neither in the list nor by its id. `isGone`: the previous run missed it
 * too, and it was first missed at least 12 h before this run started. The count restarts when a run in between found the document
 * or did not check it, and after a removal, because a person may have undone it.
 */
export function recordMiss(
  known: Miss | undefined,
  run: Pick<Run, 'id' | 'startedAt' | 'previousRun'>,
  nowMs: number,
): { readonly isGone: boolean; readonly miss: Miss } {
  const isRepeated = known?.missedBy === run.id;
  const isConsecutive = isRepeated || (known?.missedBy === run.previousRun && known?.removedAt === undefined);
  const firstMissedAt = isConsecutive && known ? known.firstMissedAt : new Date(nowMs).toISOString();
  const isGone = isConsecutive && Date.parse(run.startedAt) - Date.parse(firstMissedAt) >= minMissedMs;
  // A repeated check must queue the same removal again.
  const removedAt = isRepeated ? known.removedAt : undefined;
  const earlierRemovals = isRepeated ? known.earlierRemovals : removalsOf(known);
  const miss = {
    firstMissedAt,
    missedBy: run.id,
    ...(removedAt && { removedAt }),
    ...(earlierRemovals?.length && { earlierRemovals }),
  };
  return { isGone, miss };
}
