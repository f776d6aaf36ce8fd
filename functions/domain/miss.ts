/**
 * An item of the state table, `miss/<upload>`: a document that a run of reconciliation found neither in Argyle's list nor by its
 * id. The function writes it, and the command line reads which removals reconciliation made.
 */
export type Miss = {
  /** When the first of the consecutive runs missed it. */
  readonly firstMissedAt: string;
  /** The id of the last run that missed it. */
  readonly missedBy: string;
  /** The `removedAt` of the removal that this run queued. Absent if it queued none. */
  readonly removedAt?: string;
  /** Removals that earlier runs queued. One of them may be applied late, for example after a redrive. */
  readonly earlierRemovals?: readonly QueuedRemoval[];
};

/** A removal that a run queued, by its `removedAt`. */
export type QueuedRemoval = { readonly run: string; readonly removedAt: string };

/** The beginning of the `id` of these items, before the id of the upload. */
export const missIdPrefix = 'miss/';

/** Returns all removals that runs queued for a document, the earliest first. */
export function removalsOf(miss: Miss | undefined): readonly QueuedRemoval[] {
  const { missedBy: run = '', removedAt, earlierRemovals = [] } = miss ?? {};
  return removedAt ? [...earlierRemovals, { run, removedAt }] : earlierRemovals;
}
