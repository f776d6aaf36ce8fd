import type { Telemetry } from '../aws/telemetry.ts';
import { readId } from '../domain/envelope.ts';
import { eventOf } from '../domain/events.ts';
import { removalSlot } from '../domain/upload-record.ts';
import { type StepDependencies, sendFoundEvent } from './list-uploads.ts';
import { afterMiss, mayBeGone, mostRemovals } from './removal-rule.ts';
import { counted, type Run } from './run.ts';
import { createUploadIdSet, packIds, type UploadIdSet, unpackIds } from './upload-id-set.ts';

/** What the steps after the list need. */
export type RemovalDependencies = StepDependencies & {
  readonly listedIds: (run: Run) => Promise<UploadIdSet>;
  readonly telemetry: Telemetry;
};

// 80 KB of ids, and what one more page of records may add: up to 110 KB.
const candidatesPerChunk = 5_000;
const checksPerStep = 200;
// In the log, of those that are held: enough for a person to look some up.
const candidatesNamed = 20;

/**
 * Reads some of the records, at least a page: keeps the ids of those that Argyle does not list and that may be gone. The
 * last page leads to the checks, or, when there are too many candidates, ends the run with all of them held.
 */
export async function scanRecords(dependencies: RemovalDependencies, run: Run, endsMs: number): Promise<Run> {
  const { records: reader, state, listedIds, nowMs } = dependencies;
  const listed = await listedIds(run);
  const candidates: string[] = [];
  let scanned = run;
  do {
    const { records, scannedTo } = await reader.scanRecords(scanned.scannedTo);
    const living = records.filter(({ userUpload, slots }) => readId(userUpload) && !slots[removalSlot]);
    const unlisted = living.filter((record) => mayBeGone(record, run.startedAt) && !listed.has(record.userUpload));
    candidates.push(...unlisted.map(({ userUpload }) => userUpload));
    scanned = counted({ ...scanned, scannedTo }, { records: living.length, candidates: unlisted.length });
  } while (scanned.scannedTo && candidates.length < candidatesPerChunk && nowMs() < endsMs);

  if (candidates.length > 0) {
    await state.saveChunk(run, 'candidates', scanned.candidateChunks, packIds(candidates));
    scanned = { ...scanned, candidateChunks: scanned.candidateChunks + 1 };
  }
  return scanned.scannedTo ? scanned : afterScan(dependencies, scanned);
}

/**
 * Asks Argyle for some candidates by id, at least one. What it does not have either is remembered as missed, or, when
 * the rule says that it is gone, the removal is put on its queue.
 */
export async function checkCandidates(dependencies: RemovalDependencies, run: Run, endsMs: number): Promise<Run> {
  const { chunk, index: first } = run.checkNext;
  const ids = unpackIds(await dependencies.state.readChunk(run, 'candidates', chunk));
  let index = first;
  let gone = 0;
  do {
    if (await isGone(dependencies, run, ids[index] ?? '', endsMs)) gone += 1;
    index += 1;
  } while (index < ids.length && index < first + checksPerStep && dependencies.nowMs() < endsMs);

  const checkNext = index < ids.length ? { chunk, index } : { chunk: chunk + 1, index: 0 };
  return counted({ ...run, checkNext, phase: checkNext.chunk < run.candidateChunks ? 'check' : 'done' }, { gone });
}

/** Gives the way to the listed ids of a run, put together once from its chunks. */
export function createListedIds({ state }: Pick<StepDependencies, 'state'>): RemovalDependencies['listedIds'] {
  let cached: { readonly runId: string; readonly ids: UploadIdSet } | undefined;
  return async (run) => {
    if (cached?.runId === run.id) return cached.ids;
    // The ids of an earlier run make room first.
    cached = undefined;
    const ids = createUploadIdSet(run.counts.checked);
    for (let chunk = 0; chunk < run.listedChunks; chunk += 1)
      ids.addPacked(await state.readChunk(run, 'listed', chunk));
    cached = { runId: run.id, ids };
    return ids;
  };
}

async function afterScan(dependencies: RemovalDependencies, run: Run): Promise<Run> {
  const { records, candidates } = run.counts;
  const most = mostRemovals(records, run.confirmedRemovals);
  if (candidates <= most) return { ...run, phase: candidates > 0 ? 'check' : 'done' };
  const userUploads = (await firstCandidates(dependencies, run)).join(' ');
  dependencies.telemetry.error('removals_held', undefined, { runId: run.id, records, candidates, most, userUploads });
  return counted({ ...run, phase: 'done' }, { held: candidates });
}

async function firstCandidates({ state }: RemovalDependencies, run: Run): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let chunk = 0; chunk < run.candidateChunks && ids.length < candidatesNamed; chunk += 1)
    ids.push(...unpackIds(await state.readChunk(run, 'candidates', chunk)));
  return ids.slice(0, candidatesNamed);
}

async function isGone(
  dependencies: RemovalDependencies,
  run: Run,
  userUpload: string,
  endsMs: number,
): Promise<boolean> {
  const { uploads, state, records, nowMs } = dependencies;
  if (await uploads.has(userUpload, endsMs)) return false;
  const { isGone, miss } = afterMiss(await state.readMiss(userUpload), run, nowMs());
  const record = isGone ? (await records.readRecords([userUpload])).get(userUpload) : undefined;
  const isRemovedNow = record !== undefined && !record.slots[removalSlot];
  if (record && isRemovedNow) await sendFoundEvent(dependencies, run, eventOf(removalSlot), record);
  await state.saveMiss(userUpload, miss);
  return isRemovedNow;
}
