import { setTimeout as wait } from 'node:timers/promises';
import { type EventType, events, type Slot } from '../../functions/domain/events.ts';

/** An upload record; its slots are named as in the catalogue. */
export type UploadRecord = Readonly<Record<string, unknown>>;

/** Undoes a disturbance. */
export type Restore = () => Promise<void>;

/**
 * Reads a receiver's data and disturbs it. Every part is optional: a check that needs a missing one is reported as not
 * observable.
 */
export type Observer = {
  /** The record of a document, or undefined when there is none. */
  readonly readRecord?: (userUpload: string) => Promise<UploadRecord | undefined>;
  /** Resolves once every queued message is in a record or in a dead-letter queue. */
  readonly settled?: () => Promise<void>;
  /** The raw bytes of every body that was sent to an event's queue so far. */
  readonly readQueued?: () => Promise<readonly Uint8Array[]>;
  /** The raw bytes of every body in the quarantine. */
  readonly readQuarantine?: () => Promise<readonly Uint8Array[]>;
  /** The raw bytes of every body in an event's dead-letter queue. */
  readonly readDeadLetters?: (event: EventType) => Promise<readonly Uint8Array[]>;
  /** Sends bodies to an event's queue at once, without the receiver's checks. */
  readonly enqueue?: (event: EventType, bodies: readonly string[]) => Promise<void>;
  /** All log lines so far. */
  readonly readLog?: () => Promise<readonly string[]>;
  /** Makes every queue refuse messages. */
  readonly takeQueueDown?: () => Promise<Restore>;
  /** Prevents every queue from answering. `reached` resolves once the receiver has sent a message. */
  readonly holdQueue?: () => Promise<{ readonly reached: Promise<void>; readonly release: Restore }>;
  /** Removes the receiver's signing secret. */
  readonly takeSecretAway?: () => Promise<Restore>;
  /** Prevents the store of the signing secret from answering. */
  readonly stallSecretStore?: () => Promise<Restore>;
};

/** An observer that has at least these parts. */
export type Observing<Need extends keyof Observer> = Observer & Required<Pick<Observer, Need>>;

// Limits the wait for an observer without `settled`. A worker needs far less.
const maxWaitMs = 30_000;
const pollMs = 25;

/**
 * Reads the record of a document once its events are applied. Without `settled` it waits until the slots of all expected
 * events are present, and after 30 s it returns the record without them.
 */
export async function readWhenApplied(
  { settled, readRecord }: Observing<'readRecord'>,
  userUpload: string,
  expected: readonly EventType[],
): Promise<UploadRecord> {
  await settled?.();
  const endsMs = performance.now() + maxWaitMs;
  for (;;) {
    const record = (await readRecord(userUpload)) ?? {};
    if (settled || missingSlots(record, expected).length === 0 || performance.now() > endsMs) return record;
    await wait(pollMs);
  }
}

/** Returns the slots of these events that a record lacks. */
export function missingSlots(record: UploadRecord, expected: readonly EventType[]): readonly Slot[] {
  return expected.map((event) => events[event].slot).filter((slot) => record[slot] === undefined);
}
