import { setTimeout as wait } from 'node:timers/promises';
import { type EventType, events } from '../../functions/domain/events.ts';
import type { Observing } from './check.ts';
import type { UploadRecord } from './observer.ts';

// For an observer that cannot tell when all is applied: far beyond what a worker needs.
const patienceMs = 30_000;
const pauseMs = 100;

/**
 * The record of a document once its events are applied: at once when the observer knows that nothing is queued, else
 * as soon as the slots of all these events are there. Gives whatever there is when they do not come.
 */
export async function readWhenApplied(
  { settled, readRecord }: Observing<'readRecord'>,
  userUpload: string,
  expected: readonly EventType[],
): Promise<UploadRecord> {
  if (settled) {
    await settled();
    return (await readRecord(userUpload)) ?? {};
  }
  const endsMs = performance.now() + patienceMs;
  for (;;) {
    const record = (await readRecord(userUpload)) ?? {};
    if (missingSlots(record, expected).length === 0 || performance.now() > endsMs) return record;
    await wait(pauseMs);
  }
}

/** The slots of these events that a record lacks. */
export function missingSlots(record: UploadRecord, expected: readonly EventType[]): readonly string[] {
  return expected.map((event) => events[event].slot).filter((slot) => record[slot] === undefined);
}
