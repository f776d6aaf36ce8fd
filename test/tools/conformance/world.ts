import { setTimeout as wait } from 'node:timers/promises';
import type { EventType } from '../../../functions/domain/events.ts';
import type { Observer, Restore } from '../../../tools/conformance/observer.ts';

/** A record; its slots are those of the catalogue. */
export type UploadRecord = Readonly<Record<string, string>>;

/** A message on the queue of its event, or in the quarantine without one. `receivedAt`: ISO 8601. */
export type Message = { readonly event: EventType | undefined; readonly body: Buffer; readonly receivedAt: string };

/** What a small receiver has around it, all of it in memory. */
export type World = {
  secret: string | undefined;
  readonly queue: { readonly send: (message: Message) => Promise<void> };
  readonly records: Map<string, UploadRecord>;
  readonly dead: Message[];
  readonly log: string[];
  /** A clock of its own: no two deliveries have the same time. */
  readonly now: () => string;
};

// How long a receiver waits for its queue: it only has to end.
const queueDeadlineMs = 100;
const batchSize = 10;

/** A world whose worker is `workOn`, and an observer that sees all of it. */
export function createWorld(secret: string, workOn: (world: World, batch: readonly Message[]) => Promise<void>) {
  const queue = createQueue((batch) => workOn(world, batch));
  let timeMs = Date.UTC(2026, 10, 24);
  const world: World = {
    secret,
    queue,
    records: new Map(),
    dead: [],
    log: [],
    now: () => {
      timeMs += 1;
      return new Date(timeMs).toISOString();
    },
  };
  const observer: Required<Observer> = {
    readRecord: async (userUpload) => world.records.get(userUpload),
    settled: queue.settled,
    readQueued: async () => queue.sent.filter(({ event }) => event !== undefined).map(({ body }) => body),
    readQuarantine: async () => queue.sent.filter(({ event }) => event === undefined).map(({ body }) => body),
    readDeadLetters: async (event) => world.dead.filter((message) => message.event === event).map(({ body }) => body),
    enqueue: async (event, bodies) =>
      queue.put(bodies.map((body) => ({ event, body: Buffer.from(body), receivedAt: world.now() }))),
    readLog: async () => world.log,
    takeQueueDown: async () => queue.change('down'),
    holdQueue: async () => ({ reached: queue.reached(), release: queue.change('held') }),
    takeSecretAway: async () => {
      world.secret = undefined;
      return async () => {
        world.secret = secret;
      };
    },
  };
  return { world, observer };
}

// One queue for all events and the quarantine, which nobody works on.
function createQueue(workOn: (batch: readonly Message[]) => Promise<void>) {
  let mode: 'up' | 'down' | 'held' = 'up';
  let onHeld = () => {};
  let working = Promise.resolve();
  const sent: Message[] = [];
  const waiting: Message[] = [];
  const work = async () => {
    while (waiting.length > 0) await workOn(waiting.splice(0, batchSize));
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
      await wait(queueDeadlineMs);
      throw new Error('the queue does not answer');
    },
    settled: async () => {
      await working;
    },
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
