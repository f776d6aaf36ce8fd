import { removalSlot } from '../domain/upload-record.ts';
import type { KnownRecord } from './upload-comparison.ts';

/** That a document was found neither in Argyle's list nor by its id: since when, and by which run last. */
export type Miss = { readonly firstMissedAt: string; readonly missedBy: string };

/** A run as the rule sees it: `previousRun` is the last one before it that looked for what is gone. */
export type LookingRun = { readonly id: string; readonly startedAt: string; readonly previousRun?: string };

const youngestRecordMs = 24 * 3_600_000;
const betweenMissesMs = 12 * 3_600_000;

/**
 * Whether a record that Argyle does not list may be gone: it is no tombstone, and over 24 h old when the run began. A
 * younger one may have been uploaded while Argyle wrote its list.
 */
export function mayBeGone({ slots }: KnownRecord, startedAt: string): boolean {
  const [earliest = startedAt] = Object.values(slots).sort();
  return !slots[removalSlot] && Date.parse(startedAt) - Date.parse(earliest) > youngestRecordMs;
}

/**
 * How many removals one run may bring about: the larger of 20 and 1 % of the records that are no tombstones, or what
 * somebody confirmed. More than that look like the keys of another workspace.
 */
export function mostRemovals(records: number, confirmed: number): number {
  return Math.max(20, Math.floor(records / 100), confirmed);
}

/**
 * What follows when a document is not listed and a GET answers 404. `gone`: the run before this one missed it too, at
 * least 12 h before this one began. Otherwise the miss to remember; a run that found the document between two misses
 * breaks their chain, as does one that nobody looked in.
 */
export function afterMiss(
  known: Miss | undefined,
  run: LookingRun,
  nowMs: number,
): { readonly isGone: boolean; readonly miss: Miss } {
  const isChained = known?.missedBy === run.id || (known !== undefined && known.missedBy === run.previousRun);
  const firstMissedAt = isChained && known ? known.firstMissedAt : new Date(nowMs).toISOString();
  const isGone = isChained && Date.parse(run.startedAt) - Date.parse(firstMissedAt) >= betweenMissesMs;
  return { isGone, miss: { firstMissedAt, missedBy: run.id } };
}
