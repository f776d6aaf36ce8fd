import { type ArgylePage, listError } from '../argyle/argyle-api.ts';
import { OutOfTimeError, type Pace } from '../argyle/retry.ts';
import type { UserUploads } from '../argyle/user-uploads.ts';
import { callDeadline } from '../aws/clients.ts';
import type { SendMessage } from '../aws/event-queue.ts';
import { readId } from '../domain/envelope.ts';
import type { EventType } from '../domain/events.ts';
import { reconciliation, writeMessage } from '../domain/queue-message.ts';
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
  readonly nowMs: () => number;
};

// Their ids take 80 KB. After a crash, the pages since the last saved chunk are read again.
const pagesPerChunk = 25;

/**
 * Reads one or more pages of Argyle's list, queues events for records that are missing or behind, and saves the listed ids.
 * After the last page, the next phase is the scan. Throws an ArgyleError at the end of a list with unreadable entries, because
 * an upload that seems to be missing from the list may be one of those entries.
 */
export async function listUploads(dependencies: StepDependencies, run: Run, endsMs: number): Promise<Run> {
  const { state, nowMs } = dependencies;
  const pages: Buffer[] = [];
  let listed = run;
  do {
    const page = await readNextPage(dependencies.uploads, listed, pages.length > 0, endsMs);
    if (!page) break;
    const { results, next } = page;
    const uploads = results.flatMap((result) => readListed(result) ?? []);
    const found = await sendMissingEvents(dependencies, run, uploads);
    pages.push(packIds(uploads.map(({ id }) => id)));
    const unreadable = results.length - uploads.length;
    listed = addCounts({ ...listed, nextPage: next }, { ...found, checked: uploads.length, unreadable });
  } while (listed.nextPage && pages.length < pagesPerChunk && nowMs() < endsMs);

  const { nextPage, counts, listedChunks } = listed;
  if (!nextPage && counts.unreadable > 0)
    throw listError(`${counts.unreadable} entries of Argyle's list have no valid ids: nothing is removed.`);
  await state.saveChunk(run, 'listed', listedChunks, Buffer.concat(pages));
  return { ...listed, listedChunks: listedChunks + 1, phase: nextPage ? 'list' : 'scan' };
}

/** Queues an event that reconciliation found, with the current time as its receipt time. */
export async function sendFoundEvent(
  { sendMessage, queueUrls, nowMs }: StepDependencies,
  run: Run,
  event: EventType,
  ids: Parameters<typeof foundEventBody>[1],
): Promise<void> {
  const message = writeMessage({
    event,
    receivedAtMs: nowMs(),
    deliveryId: `${reconciliation}-${run.id}`,
    body: foundEventBody(event, ids),
    origin: reconciliation,
  });
  await sendMessage(queueUrls[event], message, callDeadline());
}

// Returns undefined when Argyle stays unavailable beyond the time limit, but pages have been read that must be saved first.
async function readNextPage(
  uploads: UserUploads,
  { nextPage }: Run,
  hasPages: boolean,
  endsMs: number,
): Promise<ArgylePage | undefined> {
  try {
    return await uploads.readPage(nextPage, endsMs);
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
  for (const upload of uploads) {
    const { id: userUpload, account } = upload;
    const record = records.get(userUpload);
    const { kind, events } = compareUpload(upload, record);
    counts[kind] += 1;
    const ids = { userUpload, account, ...(record?.user && { user: record.user }) };
    for (const event of events) {
      // Each event makes a worker send one request to Argyle, so events count against the same rate.
      await dependencies.pace();
      await sendFoundEvent(dependencies, run, event, ids);
    }
  }
  return { missing: counts.missing, behind: counts.behind, tombstonesListed: counts.tombstone };
}

// Skips entries with invalid ids: a worker would refuse their events.
function readListed(result: unknown): UserUpload | undefined {
  const upload = readUserUpload(result);
  return upload && readId(upload.id) && readId(upload.account) ? upload : undefined;
}
