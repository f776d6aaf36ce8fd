import { setTimeout as wait } from 'node:timers/promises';
import type { EventType } from '../../../functions/domain/events.ts';
import type { Observer, Restore } from '../../../tools/conformance/observer.ts';

export type UploadRecord = Readonly<Record<string, string>>;

/** A message in the queue of its event, or without an event in the quarantine. */
export type Message = { readonly event: EventType | undefined; readonly body: Buffer; readonly receivedAt: string };

/** The state of a small receiver, in memory. */
export type State = {
  secret: string | undefined;
  /** Whether the store of the secret answers. A correct receiver has the secret in its memory. */
  isSecretReadable: boolean;
  readonly queue: { readonly send: (message: Message) => Promise<void> };
  readonly records: Map<string, UploadRecord>;
  readonly dead: Message[];
  readonly log: string[];
  /** Returns a later time at each call. */
  readonly now: () => string;
};

// How long a receiver waits for a queue that does not answer.
const queueTimeoutMs = 100;
const batchSize = 10;

/** Creates a state whose worker is `processBatch`, and an observer of all of it. */
export function createState(secret: string, processBatch: (state: State, batch: readonly Message[]) => Promise<void>) {
  const queue = createQueue((batch) => processBatch(state, batch));
  let timeMs = Date.UTC(2026, 10, 24);
  const now = () => {
    timeMs += 1;
    return new Date(timeMs).toISOString();
  };
  const state: State = { secret, isSecretReadable: true, queue, records: new Map(), dead: [], log: [], now };
  const observer: Required<Observer> = {
    readRecord: async (userUpload) => state.records.get(userUpload),
    settled: queue.settled,
    readQueued: async () => queue.sent.filter(({ event }) => event !== undefined).map(({ body }) => body),
    readQuarantine: async () => queue.sent.filter(({ event }) => event === undefined).map(({ body }) => body),
    readDeadLetters: async (event) => state.dead.filter((message) => message.event === event).map(({ body }) => body),
    enqueue: async (event, bodies) =>
      queue.put(bodies.map((body) => ({ event, body: Buffer.from(body), receivedAt: now() }))),
    readLog: async () => state.log,
    takeQueueDown: async () => queue.change('down'),
    holdQueue: async () => ({ reached: queue.reached(), release: queue.change('held') }),
    takeSecretAway: async () => {
      state.secret = undefined;
      return async () => {
        state.secret = secret;
      };
    },
    stallSecretStore: async () => {
      state.isSecretReadable = false;
      return async () => {
        state.isSecretReadable = true;
      };
    },
  };
  return { state, observer };
}

// One queue for all events and the quarantine, whose messages stay.
function createQueue(processBatch: (batch: readonly Message[]) => Promise<void>) {
  let mode: 'up' | 'down' | 'held' = 'up';
  let onHeld = () => {};
  let working = Promise.resolve();
  const sent: Message[] = [];
  const waiting: Message[] = [];
  const work = async () => {
    while (waiting.length > 0) await processBatch(waiting.splice(0, batchSize));
  };
  const put = (messages: readonly Message[]) => {
    sent.push(...messages);
    waiting.push(...messages.filter(({ event }) => event !== undefined));
    working = working.then(work);
  };
  return {
    sent,
    put,
    send: async (message: Message) => {
      if (mode === 'down') throw new Error('the queue is down');
      if (mode === 'up') return put([message]);
      onHeld();
      await wait(queueTimeoutMs);
      throw new Error('the queue does not answer');
    },
    settled: () => working,
    reached: () =>
      new Promise<void>((resolve) => {
        onHeld = resolve;
      }),
    change: (next: typeof mode): Restore => {
      mode = next;
      return async () => {
        mode = 'up';
      };
    },
  };
}
