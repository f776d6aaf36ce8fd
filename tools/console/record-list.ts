import { events, eventTypes } from '../../functions/domain/events.ts';
import type { UploadRecord } from './page/view.ts';
import { readUpload, type Stores, scanRecords } from './state.ts';

/** The records that changed last. */
export type RecordList = ReturnType<typeof createRecordList>;

type Listing = { readonly total: number; readonly newest: readonly UploadRecord[] };

// Looking through all records takes the engine's time: a tenth of it, unless it is so slow that the list would grow old.
const restFactor = 10;
const longestRestMs = 5_000;

/**
 * Starts with nothing seen. The table has no order by time, so the list is made by looking through all records; between
 * two looks, which are the rarer the more records there are, only those are read again that a worker has just written.
 */
export function createRecordList(stores: Stores, count: number, nowMs: () => number) {
  let listing: Listing = { total: 0, newest: [] };
  let nextLookMs = 0;
  let changed = new Set<string>();
  const look = async (): Promise<void> => {
    const startedMs = nowMs();
    changed = new Set();
    listing = await lookThrough(stores, count);
    nextLookMs = nowMs() + Math.min((nowMs() - startedMs) * restFactor, longestRestMs);
  };
  return {
    /** Takes note of documents whose records a worker has written. */
    note: (userUploads: readonly string[]): void => {
      for (const id of userUploads) {
        changed.delete(id);
        changed.add(id);
      }
      for (const id of changed) if (changed.size > count) changed.delete(id);
    },
    /** How many records there are, and the newest of them. */
    read: async (): Promise<Listing> => {
      if (nowMs() >= nextLookMs) await look();
      const again = await Promise.all([...changed].map((id) => readUpload(stores, id)));
      return withRecords(
        listing,
        again.filter((record) => record !== undefined),
        count,
      );
    },
  };
}

async function lookThrough(stores: Stores, count: number): Promise<Listing> {
  let listing: Listing = { total: 0, newest: [] };
  for await (const records of scanRecords(stores)) {
    const { newest } = withRecords(listing, records, count);
    listing = { total: listing.total + records.length, newest };
  }
  return listing;
}

function withRecords({ total, newest }: Listing, records: readonly UploadRecord[], count: number): Listing {
  const byId = new Map([...newest, ...records].map((record) => [record.userUpload, record]));
  const timed = [...byId.values()].map((record) => [lastChange(record), record] as const);
  timed.sort(([one], [other]) => (one < other ? 1 : -1));
  return { total: Math.max(total, byId.size), newest: timed.slice(0, count).map(([, record]) => record) };
}

function lastChange(record: UploadRecord): string {
  return eventTypes.reduce((last, event) => {
    const time = record[events[event].slot];
    return typeof time === 'string' && time > last ? time : last;
  }, '');
}
