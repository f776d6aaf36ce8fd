import { events, eventTypes } from '../../functions/domain/events.ts';
import type { Overview, UploadRecord } from './page/api.ts';
import { readUpload, type Stores, scanRecords } from './state.ts';

type Listing = Overview['records'];

// Scans take at most a tenth of DynamoDB's time, but the list is never older than five seconds.
const pauseFactor = 10;
const maxPauseMs = 5_000;

/**
 * Creates the list of the records that changed last, at most `count`. The table has no order by time, so the list needs a scan
 * of all records. Between scans, only the records that workers have just written are read. The longer a scan takes, the rarer scans are.
 */
export function createRecordList(stores: Stores, count: number, nowMs: () => number) {
  let listing: Listing = { total: 0, newest: [] };
  let nextScanMs = 0;
  let written = new Set<string>();
  const scan = async (): Promise<void> => {
    const startMs = nowMs();
    written = new Set();
    let scanned: Listing = { total: 0, newest: [] };
    for await (const records of scanRecords(stores))
      scanned = { total: scanned.total + records.length, newest: withRecords(scanned, records, count).newest };
    listing = scanned;
    nextScanMs = nowMs() + Math.min((nowMs() - startMs) * pauseFactor, maxPauseMs);
  };
  return {
    /** Adds documents whose records a worker has written. */
    note: (userUploads: readonly string[]): void => {
      for (const id of userUploads) {
        written.delete(id);
        written.add(id);
      }
      for (const id of written) if (written.size > count) written.delete(id);
    },
    /** Returns the number of records, and the newest. */
    read: async (): Promise<Listing> => {
      if (nowMs() >= nextScanMs) await scan();
      const reread = await Promise.all([...written].map((id) => readUpload(stores, id)));
      return withRecords(
        listing,
        reread.filter((record) => record !== undefined),
        count,
      );
    },
  };
}

function withRecords({ total, newest }: Listing, records: readonly UploadRecord[], count: number): Listing {
  const byId = new Map([...newest, ...records].map((record) => [record.userUpload, record]));
  const timed = [...byId.values()].map((record) => [lastChange(record), record] as const);
  timed.sort(([one], [other]) => (one < other ? 1 : -1));
  return { total: Math.max(total, byId.size), newest: timed.slice(0, count).map(([, record]) => record) };
}

function lastChange(record: UploadRecord): string {
  const times = eventTypes.map((event) => record[events[event].slot]).filter((time) => typeof time === 'string');
  return times.sort().at(-1) ?? '';
}
