import type { EventType, Slot } from '../../functions/domain/events.ts';

/** What a record says, whatever it is stored in; slots are named as in the catalogue. */
export type UploadRecord = Readonly<
  { userUpload?: unknown; account?: unknown; user?: unknown } & Partial<Record<Slot, unknown>>
>;

/** Undoes what an observer did to a receiver. */
export type Restore = () => Promise<void>;

/** A queue that takes messages and does not say so. `reached` resolves once the receiver has sent it one. */
export type HeldQueue = { readonly reached: Promise<void>; readonly release: Restore };

/**
 * Looks into a receiver, and disturbs it, as far as somebody can where it runs. Every part is optional: a check that
 * needs a missing one is reported as not observable.
 */
export type Observer = {
  /** The record of a document, or undefined when there is none. */
  readonly readRecord?: (userUpload: string) => Promise<UploadRecord | undefined>;
  /** Resolves once all that is queued is in a record or in a dead-letter queue. Without it records are waited for. */
  readonly settled?: () => Promise<void>;
  /** The raw bytes of every body that was put on the queue of an event so far. */
  readonly readQueued?: () => Promise<readonly Uint8Array[]>;
  /** The raw bytes of every body in the quarantine. */
  readonly readQuarantine?: () => Promise<readonly Uint8Array[]>;
  /** The raw bytes of every body in the dead-letter queue of an event. */
  readonly readDeadLetters?: (event: EventType) => Promise<readonly Uint8Array[]>;
  /** Puts bodies on the queue of an event at once, past the receiver's checks. */
  readonly enqueue?: (event: EventType, bodies: readonly string[]) => Promise<void>;
  /** Everything that was logged so far. */
  readonly readLog?: () => Promise<readonly string[]>;
  /** Makes every queue refuse messages. */
  readonly takeQueueDown?: () => Promise<Restore>;
  /** Makes every queue keep its answer back. */
  readonly holdQueue?: () => Promise<HeldQueue>;
  /** Leaves the receiver without a signing secret. */
  readonly takeSecretAway?: () => Promise<Restore>;
};
