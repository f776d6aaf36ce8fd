import { type ArgylePage, ListError } from '../argyle/argyle-api.ts';
import type { Pace } from '../argyle/pace.ts';
import { OutOfTimeError, type UserUploads } from '../argyle/user-uploads.ts';
import { callDeadline } from '../aws/clients.ts';
import type { SendMessage } from '../aws/event-queue.ts';
import { readId } from '../domain/envelope.ts';
import type { EventType } from '../domain/events.ts';
import { reconciliation, writeMessage } from '../domain/queue-message.ts';
import { readUserUpload, type UserUpload } from '../domain/user-upload.ts';
import type { RecordReader } from './record-reader.ts';
import { counted, type Run, type RunCounts } from './run.ts';
import type { ReconciliationState } from './state-store.ts';
import { compareUpload, foundEventBody } from './upload-comparison.ts';
import { packIds } from './upload-id-set.ts';

/** What the steps of a run need from outside. `pace` is the one that `uploads` keeps. */
export type StepDependencies = {
  readonly uploads: UserUploads;
  readonly records: RecordReader;
  readonly state: ReconciliationState;
  readonly sendMessage: SendMessage;
  readonly queueUrls: Readonly<Record<EventType, string>>;
  readonly pace: Pace;
  readonly nowMs: () => number;
};

// 80 KB of ids. What a part that dies has listed since the last chunk is listed again.
const pagesPerChunk = 25;

/**
 * Reads some pages of Argyle's list, at least one: puts events for what is missing or behind on their queues, and keeps the
 * ids. The last page leads to the scan. Throws a ListError at the end when entries could not be read: nobody can say then
 * what is not listed.
 */
export async function listUploads(dependencies: StepDependencies, run: Run, endsMs: number): Promise<Run> {
  const { uploads: argyle, state, nowMs } = dependencies;
  const pages: Buffer[] = [];
  let listed = run;
  do {
    const page = await readNextPage(argyle, listed, pages.length > 0, endsMs);
    if (!page) break;
    const { results, next } = page;
    const uploads = results.flatMap((result) => readListed(result) ?? []);
    const found = await sendWhatIsMissing(dependencies, run, uploads);
    pages.push(packIds(uploads.map(({ id }) => id)));
    const unreadable = results.length - uploads.length;
    listed = counted({ ...listed, nextPage: next }, { ...found, checked: uploads.length, unreadable });
  } while (listed.nextPage && pages.length < pagesPerChunk && nowMs() < endsMs);

  const { nextPage, counts, listedChunks } = listed;
  if (!nextPage && counts.unreadable > 0)
    throw new ListError(`${counts.unreadable} entries of Argyle's list have no ids: nothing is looked for as gone.`);
  await state.saveChunk(run, 'listed', listedChunks, Buffer.concat(pages));
  return { ...listed, listedChunks: listedChunks + 1, phase: nextPage ? 'list' : 'scan' };
}

/** Puts an event that no webhook told of on its queue, received now. */
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

// Undefined when Argyle is busy for longer than there is time, and there are pages that are worth to be kept first.
async function readNextPage(
  argyle: UserUploads,
  { nextPage }: Run,
  hasPages: boolean,
  endsMs: number,
): Promise<ArgylePage | undefined> {
  try {
    return await argyle.readPage(nextPage, endsMs);
  } catch (error) {
    if (error instanceof OutOfTimeError && hasPages) return undefined;
    throw error;
  }
}

async function sendWhatIsMissing(
  dependencies: StepDependencies,
  run: Run,
  uploads: readonly UserUpload[],
): Promise<Partial<RunCounts>> {
  const records = await dependencies.records.readRecords(uploads.map(({ id }) => id));
  const counts = { missing: 0, behind: 0, tombstone: 0, current: 0 };
  for (const upload of uploads) {
    const record = records.get(upload.id);
    const { kind, events } = compareUpload(upload, record);
    counts[kind] += 1;
    for (const event of events) {
      // Each event lets its worker ask Argyle once: together they stay as slow as the list is read.
      await dependencies.pace();
      const { id: userUpload, account } = upload;
      await sendFoundEvent(dependencies, run, event, {
        userUpload,
        account,
        ...(record?.user && { user: record.user }),
      });
    }
  }
  return { missing: counts.missing, behind: counts.behind, tombstonesListed: counts.tombstone };
}

// A worker would refuse an event with other ids.
function readListed(result: unknown): UserUpload | undefined {
  const upload = readUserUpload(result);
  return upload && readId(upload.id) && readId(upload.account) ? upload : undefined;
}
