import type { ListPosition } from '../argyle/list-pages.ts';
import { OutOfTimeError, type Pace } from '../argyle/retry.ts';
import type { UserUploads } from '../argyle/user-uploads.ts';
import { callDeadline } from '../aws/clients.ts';
import type { SendMessage } from '../aws/event-queue.ts';
import type { LogCode, Telemetry } from '../aws/telemetry.ts';
import { readId } from '../domain/envelope.ts';
import type { EventType } from '../domain/events.ts';
import { isObject } from '../domain/is-object.ts';
import { reconciliation, writeMessage } from '../domain/queue-message.ts';
import { removalSlot } from '../domain/upload-record.ts';
import { readUserUpload, type UserUpload } from '../domain/user-upload.ts';
import type { RecordReader } from './record-reader.ts';
import { addCounts, type Run, type RunCounts } from './run.ts';
import type { ReconciliationState } from './state-store.ts';
import { compareUpload, foundEventBody } from './upload-comparison.ts';
import { packIds } from './upload-id-set.ts';

/** Dependencies of the steps of a run. `uploads` must use the same `pace`. */
export type StepDependencies = {
  readonly uploads: UserUploads;
  readonly records: RecordReader;
  readonly state: ReconciliationState;
  readonly sendMessage: SendMessage;
  readonly queueUrls: Readonly<Record<EventType, string>>;
  readonly pace: Pace;
  readonly telemetry: Telemetry;
  readonly nowMs: () => number;
};

// Their ids take 80 KB. After a crash, the pages since the last saved chunk are read again.
const pagesPerChunk = 25;
// The number of ids in a log line: enough for an operator to look some of them up.
export const maxLoggedIds = 20;

/**
 * Reads one or more pages of Argyle's list, queues events for records that are missing or behind, and saves the listed ids.
 * After the last page, the next phase is the scan. An entry that cannot be read is counted and logged.
 */
export async function listUploads(dependencies: StepDependencies, run: Run, endsMs: number): Promise<Run> {
  const { state, nowMs } = dependencies;
  const pages: Buffer[] = [];
  let listed = run;
  do {
    const page = await readNextPage(dependencies.uploads, listed, pages.length > 0, endsMs);
    if (!page) break;
    const { results, position } = page;
    const entries = results.map(readListed);
    const uploads = entries.filter((entry) => entry !== undefined);
    const unreadable = results.filter((_, index) => entries[index] === undefined);
    logIds(dependencies, 'uploads_unreadable', run, unreadable.map(idOf));
    const found = await sendMissingEvents(dependencies, run, uploads);
    pages.push(packIds(uploads.map(({ id }) => id)));
    const counts = { ...found, checked: uploads.length, unreadable: unreadable.length };
    listed = addCounts({ ...listed, ...position }, counts);
  } while (listed.nextPage && pages.length < pagesPerChunk && nowMs() < endsMs);

  const { nextPage, listedChunks } = listed;
  await state.saveChunk(run, 'listed', listedChunks, Buffer.concat(pages));
  return { ...listed, listedChunks: listedChunks + 1, phase: nextPage ? 'list' : 'scan' };
}

/**
 * Queues an event that reconciliation found. Its receipt time is the current time, unless a repeated check queues the same event
 * again.
 */
export async function sendFoundEvent(
  { sendMessage, queueUrls, nowMs }: StepDependencies,
  run: Run,
  event: EventType,
  ids: Parameters<typeof foundEventBody>[1],
  receivedAtMs = nowMs(),
): Promise<void> {
  const message = writeMessage({
    event,
    receivedAtMs,
    deliveryId: `${reconciliation}-${run.id}`,
    body: foundEventBody(event, ids),
    origin: reconciliation,
  });
  await sendMessage(queueUrls[event], message, callDeadline());
}

/** Logs the number of uploads and the first 20 of their ids. Logs nothing for an empty list. */
export function logIds({ telemetry }: StepDependencies, code: LogCode, run: Run, userUploads: readonly string[]): void {
  if (userUploads.length === 0) return;
  const ids = userUploads.slice(0, maxLoggedIds).join(' ');
  telemetry.error(code, undefined, { runId: run.id, uploads: userUploads.length, userUploads: ids });
}

// Returns undefined when Argyle stays unavailable beyond the time limit, but pages have been read that must be saved first.
async function readNextPage(uploads: UserUploads, position: ListPosition, hasPages: boolean, endsMs: number) {
  try {
    return await uploads.readPage(position, endsMs);
  } catch (error) {
    if (error instanceof OutOfTimeError && hasPages) return undefined;
    throw error;
  }
}

async function sendMissingEvents(
  dependencies: StepDependencies,
  run: Run,
  uploads: readonly UserUpload[],
): Promise<Partial<RunCounts>> {
  const records = await dependencies.records.readRecords(uploads.map(({ id }) => id));
  const counts = { missing: 0, behind: 0, tombstone: 0, current: 0 };
  const tombstones: string[] = [];
  for (const upload of uploads) {
    const { id: userUpload, account } = upload;
    const record = records.get(userUpload);
    const { kind, events } = compareUpload(upload, record);
    counts[kind] += 1;
    // A document that is removed while the run reads the list may still be on its page.
    if (kind === 'tombstone' && String(record?.slots[removalSlot]) < run.startedAt) tombstones.push(userUpload);
    const ids = { userUpload, account, ...(record?.user && { user: record.user }) };
    for (const event of events) {
      // Each event makes a worker send one request to Argyle, so events count against the same rate.
      await dependencies.pace();
      await sendFoundEvent(dependencies, run, event, ids);
    }
  }
  logIds(dependencies, 'tombstones_listed', run, tombstones);
  return { missing: counts.missing, behind: counts.behind, tombstonesListed: tombstones.length };
}

// Skips entries with invalid ids: a worker would refuse their events.
function readListed(result: unknown): UserUpload | undefined {
  const upload = readUserUpload(result);
  return upload && readId(upload.id) && readId(upload.account) ? upload : undefined;
}

// An id that is not in Argyle's form could be any text, which must not reach the log.
function idOf(result: unknown): string {
  return (isObject(result) && readId(result.id)) || 'invalid';
}
