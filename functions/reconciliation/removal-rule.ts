import { removalSlot } from '../domain/upload-record.ts';
import type { Run } from './run.ts';
import type { KnownRecord } from './upload-comparison.ts';

/** When a document was first found neither in Argyle's list nor by its id, and which run last found this. */
export type Miss = { readonly firstMissedAt: string; readonly missedBy: string };

const minRecordAgeMs = 24 * 3_600_000;
const minMissedMs = 12 * 3_600_000;

/**
 * Whether a record that Argyle does not list may have to be removed: it is not a tombstone, and was over 24 h old when the run
 * started. A younger record's document may have been uploaded while Argyle created its list.
 */
export function isRemovalCandidate({ slots }: KnownRecord, startedAt: string): boolean {
  const [earliest = startedAt] = Object.values(slots).sort();
  return !slots[removalSlot] && Date.parse(startedAt) - Date.parse(earliest) > minRecordAgeMs;
}

/**
 * Returns the maximum number of removals of one run: 20, or 1 % of the records, or the confirmed number, whichever is largest.
 * A larger number suggests that the API key belongs to another workspace.
 * @param records the number of records, without tombstones
 */
export function maxRemovals(records: number, confirmed: number): number {
  return Math.max(20, Math.floor(records / 100), confirmed);
}

/**
 * Returns the miss to save after a run found a document neither in the list nor by its id. `isGone`: the previous run missed it
 * too, and it was first missed at least 12 h before this run started. The count restarts when a run in between found the document
 * or did not check it.
 */
export function recordMiss(
  known: Miss | undefined,
  run: Pick<Run, 'id' | 'startedAt' | 'previousRun'>,
  nowMs: number,
): { readonly isGone: boolean; readonly miss: Miss } {
  const isConsecutive = known?.missedBy === run.id || (known !== undefined && known.missedBy === run.previousRun);
  const firstMissedAt = isConsecutive && known ? known.firstMissedAt : new Date(nowMs).toISOString();
  const isGone = isConsecutive && Date.parse(run.startedAt) - Date.parse(firstMissedAt) >= minMissedMs;
  return { isGone, miss: { firstMissedAt, missedBy: run.id } };
}
