import { ArgyleError, listError } from '../argyle/argyle-api.ts';
import { readId } from '../domain/envelope.ts';
import { eventOf } from '../domain/events.ts';
import { removalSlot } from '../domain/upload-record.ts';
import { logIds, maxLoggedIds, type StepDependencies, sendFoundEvent } from './list-uploads.ts';
import { isEligible, isRemovalCandidate, maxRemovals, recordMiss } from './removal-rule.ts';
import { addCounts, type Run } from './run.ts';
import { createUploadIdSet, packIds, type UploadIdSet, unpackIds } from './upload-id-set.ts';

export type RemovalDependencies = StepDependencies & {
  readonly listedIds: (run: Run) => Promise<UploadIdSet>;
};

// These ids take 80 KB. The last page of records may add up to 110 KB.
const candidatesPerChunk = 5_000;
const checksPerStep = 200;

/**
 * Reads one or more pages of records and saves the ids of removal candidates: old records that Argyle does not list. After the
 * last page, the next phase is the check. If there are too many candidates, the run ends, and all of them wait for a confirmation.
 * Throws an ArgyleError if the list has unreadable entries, because a document that it seems to lack may be one of them.
 */
export async function scanRecords(dependencies: RemovalDependencies, run: Run, endsMs: number): Promise<Run> {
  const { records: reader, state, listedIds, nowMs } = dependencies;
  requireReadableList(run);
  const listed = await listedIds(run);
  const candidates: string[] = [];
  let scanned = run;
  do {
    const page = await reader.scanRecords(scanned.scannedTo);
    const records = page.records.filter(({ userUpload, slots }) => readId(userUpload) && !slots[removalSlot]);
    const unlisted = records.filter(
      (record) => isRemovalCandidate(record, run.startedAt) && !listed.has(record.userUpload),
    );
    candidates.push(...unlisted.map(({ userUpload }) => userUpload));
    const eligible = records.filter((record) => isEligible(record, run.startedAt)).length;
    const counts = { records: records.length, eligible, candidates: unlisted.length };
    scanned = addCounts({ ...scanned, scannedTo: page.scannedTo }, counts);
  } while (scanned.scannedTo && candidates.length < candidatesPerChunk && nowMs() < endsMs);

  if (candidates.length > 0) {
    await state.saveChunk(run, 'candidates', scanned.candidateChunks, packIds(candidates));
    scanned = { ...scanned, candidateChunks: scanned.candidateChunks + 1 };
  }
  return scanned.scannedTo ? scanned : endScan(dependencies, scanned);
}

/**
 * Requests one or more candidates from Argyle by id. A 404 is recorded as a miss. When the removal rule considers the document
 * gone, its removal is queued.
 */
export async function checkCandidates(dependencies: RemovalDependencies, run: Run, endsMs: number): Promise<Run> {
  const { chunk, index: first } = run.checkNext;
  const ids = unpackIds(await dependencies.state.readChunk(run, 'candidates', chunk));
  let index = first;
  const removed: string[] = [];
  try {
    do {
      const userUpload = ids[index] ?? '';
      if (await removeIfGone(dependencies, run, userUpload, endsMs)) removed.push(userUpload);
      index += 1;
    } while (index < ids.length && index < first + checksPerStep && dependencies.nowMs() < endsMs);
  } catch (error) {
    // The removals that were queued must be counted. The next step begins with the candidate that failed, and fails if it fails again.
    if (index === first) throw error;
  }

  logIds(dependencies, 'records_removed', run, removed);
  const checkNext = index < ids.length ? { chunk, index } : { chunk: chunk + 1, index: 0 };
  const phase = checkNext.chunk < run.candidateChunks ? 'check' : 'done';
  return addCounts({ ...run, checkNext, phase }, { gone: removed.length });
}

/** Creates the reader of a run's listed ids. It builds the set from the saved chunks once per run and execution environment. */
export function createListedIds({ state }: Pick<StepDependencies, 'state'>): RemovalDependencies['listedIds'] {
  let cached: { readonly runId: string; readonly ids: UploadIdSet } | undefined;
  return async (run) => {
    if (cached?.runId === run.id) return cached.ids;
    // Free the memory of an earlier run's ids first.
    cached = undefined;
    const ids = createUploadIdSet(run.counts.checked);
    for (let chunk = 0; chunk < run.listedChunks; chunk += 1)
      ids.addPacked(await state.readChunk(run, 'listed', chunk));
    cached = { runId: run.id, ids };
    return ids;
  };
}

function requireReadableList({ counts: { unreadable } }: Run): void {
  if (unreadable > 0)
    throw listError(
      `${unreadable} entries of Argyle's list have no valid ids, so nothing is removed: the log lines uploads_unreadable list those of their ids that are valid.`,
    );
}

async function endScan(dependencies: RemovalDependencies, run: Run): Promise<Run> {
  const { records, eligible, candidates } = run.counts;
  const maximum = maxRemovals(eligible, run.confirmedRemovals);
  if (candidates <= maximum) return { ...run, phase: candidates > 0 ? 'check' : 'done' };
  const userUploads = (await firstCandidates(dependencies, run)).join(' ');
  dependencies.telemetry.error('removals_held', undefined, {
    runId: run.id,
    records,
    eligible,
    candidates,
    maximum,
    userUploads,
  });
  return addCounts({ ...run, phase: 'done' }, { held: candidates });
}

async function firstCandidates({ state }: RemovalDependencies, run: Run): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let chunk = 0; chunk < run.candidateChunks && ids.length < maxLoggedIds; chunk += 1)
    ids.push(...unpackIds(await state.readChunk(run, 'candidates', chunk)));
  return ids.slice(0, maxLoggedIds);
}

// An answer that refuses one document must not end the check of the others: the document then counts as existing. 401 and 403 refuse
// the API key.
async function mayExist(
  { uploads, telemetry }: RemovalDependencies,
  run: Run,
  userUpload: string,
  endsMs: number,
): Promise<boolean> {
  try {
    return await uploads.has(userUpload, endsMs);
  } catch (error) {
    const isRefused = error instanceof ArgyleError && !error.isTransient && /^http_4(?!01|03)/.test(error.code ?? '');
    if (!isRefused) throw error;
    telemetry.error('upload_not_checked', error, { runId: run.id, userUpload });
    return true;
  }
}

// Returns whether a removal was queued.
async function removeIfGone(
  dependencies: RemovalDependencies,
  run: Run,
  userUpload: string,
  endsMs: number,
): Promise<boolean> {
  const { state, records, nowMs } = dependencies;
  if (await mayExist(dependencies, run, userUpload, endsMs)) return false;
  const { isGone, miss } = recordMiss(await state.readMiss(userUpload), run, nowMs());
  const record = isGone ? (await records.readRecords([userUpload])).get(userUpload) : undefined;
  if (!record || record.slots[removalSlot]) {
    await state.saveMiss(userUpload, miss);
    return false;
  }
  const { removedAt = new Date(nowMs()).toISOString() } = miss;
  // Saved before the removal is queued, so that every removal can be undone.
  await state.saveMiss(userUpload, { ...miss, removedAt });
  await sendFoundEvent(dependencies, run, eventOf(removalSlot), record, Date.parse(removedAt));
  return true;
}
