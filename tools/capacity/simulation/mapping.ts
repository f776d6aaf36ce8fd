import { retryDelaySeconds } from '../../../functions/worker/retry-delay.ts';
import type { Agenda } from './agenda.ts';
import type { Line, Message } from './line.ts';

/** A queue with its worker, as the template and the assumptions have them. Times are virtual. */
export type QueueSetup = {
  readonly batchSize: number;
  readonly windowMs: number;
  /** Batches that may be worked on at once. */
  readonly maxConcurrency: number;
  /** With how many pollers Lambda begins, and how many it adds a minute while full batches are left. */
  readonly firstPollers: number;
  readonly pollersAddedPerMinute: number;
  readonly longPollMs: number;
  readonly maxReceiveCount: number;
  /** Beyond it SQS hands out no message. */
  readonly inFlightLimit: number;
  readonly receiveMs: number;
  readonly deleteMs: number;
  /** How long a batch of so many records takes, and how long until one has failed. */
  readonly batchMs: (records: number) => number;
  readonly failMs: number;
};

/** What comes, and when nothing can be applied. `random` gives 0 to 1. */
export type QueueTraffic = {
  /** When messages arrive, ascending. */
  readonly arrivalsMs: Iterable<number>;
  readonly isDown: (timeMs: number) => boolean;
  readonly random: () => number;
  /** Where the simulation ends; when nothing is left if absent. */
  readonly endMs?: number;
  /** Looks at the queue so often; never if absent. */
  readonly sampleEveryMs?: number;
};

/** What the queue held at one time. */
export type QueueSample = { readonly timeMs: number; readonly visible: number; readonly inFlight: number };

/** What happened. A batch is an invocation of the worker; `emptyReceives`, of all receives, brought nothing. */
export type QueueOutcome = {
  arrived: number;
  applied: number;
  dead: number;
  receives: number;
  emptyReceives: number;
  mostPollers: number;
  mostInFlight: number;
  lastAppliedMs: number;
  /** The longest time between arrival and application. */
  longestMs: number;
  /** Milliseconds in which workers ran, all together. */
  busyMs: number;
  /** How many records each batch had. */
  readonly batches: number[];
  /** How long each failed message was postponed, and after the how manieth receive. */
  readonly postponements: { readonly receiveCount: number; readonly delaySeconds: number }[];
  readonly samples: QueueSample[];
};

/** An event source mapping at work: its pollers, and the queue that they poll. */
export type Mapping = {
  readonly setup: QueueSetup;
  readonly traffic: QueueTraffic;
  readonly agenda: Agenda;
  readonly line: Line;
  readonly outcome: QueueOutcome;
  /** The pollers whose long poll has found nothing so far. */
  readonly idle: Poller[];
  pollers: number;
  waits: number;
  isGrowing: boolean;
  /** Whether nothing will arrive any more. */
  hasEnded: boolean;
};

/** One poller. `waitNumber` tells its long polls apart; 0 while it does not wait. */
type Poller = { batch: Message[]; windowEndsMs: number; waitNumber: number };

/** Starts one more poller. It receives up to a batch, lets the worker work on it, deletes what succeeded, and so on. */
export function addPoller(mapping: Mapping): void {
  mapping.pollers += 1;
  mapping.outcome.mostPollers = Math.max(mapping.outcome.mostPollers, mapping.pollers);
  receive(mapping, { batch: [], windowEndsMs: 0, waitNumber: 0 });
}

/** Hands what is visible to the pollers that wait for it. */
export function offer(mapping: Mapping): void {
  while (mapping.line.visible() > 0) {
    const [poller] = mapping.idle;
    if (!poller || !take(mapping, poller)) return;
    mapping.idle.shift();
    poller.waitNumber = 0;
  }
}

function receive(mapping: Mapping, poller: Poller): void {
  const { agenda, outcome, setup, idle } = mapping;
  if (mapping.hasEnded && outcome.applied + outcome.dead === outcome.arrived) return;
  outcome.receives += 1;
  if (take(mapping, poller)) return;
  mapping.waits += 1;
  const number = mapping.waits;
  poller.waitNumber = number;
  idle.push(poller);
  const waitMs = poller.batch.length > 0 ? poller.windowEndsMs - agenda.nowMs() : setup.longPollMs;
  agenda.at(agenda.nowMs() + waitMs, () => {
    if (poller.waitNumber === number) giveUp(mapping, poller);
  });
}

// Whether there was anything to take.
function take(mapping: Mapping, poller: Poller): boolean {
  const { agenda, line, outcome, setup } = mapping;
  const taken = line.take(setup.batchSize - poller.batch.length);
  outcome.dead = line.dead();
  if (taken.length === 0) return false;
  outcome.mostInFlight = Math.max(outcome.mostInFlight, line.inFlight());
  if (poller.batch.length === 0) poller.windowEndsMs = agenda.nowMs() + setup.windowMs;
  poller.batch.push(...taken);
  if (taken.length === setup.batchSize) grow(mapping);
  agenda.at(agenda.nowMs() + setup.receiveMs, () => {
    if (poller.batch.length < setup.batchSize && agenda.nowMs() < poller.windowEndsMs) receive(mapping, poller);
    else work(mapping, poller);
  });
  return true;
}

function giveUp(mapping: Mapping, poller: Poller): void {
  mapping.idle.splice(mapping.idle.indexOf(poller), 1);
  poller.waitNumber = 0;
  mapping.outcome.emptyReceives += 1;
  if (poller.batch.length > 0) work(mapping, poller);
  else if (mapping.pollers > mapping.setup.firstPollers) mapping.pollers -= 1;
  else receive(mapping, poller);
}

// Lambda adds pollers while a full batch leaves messages behind.
function grow(mapping: Mapping): void {
  const { agenda, line, setup } = mapping;
  if (mapping.isGrowing || line.visible() === 0 || mapping.pollers >= setup.maxConcurrency) return;
  mapping.isGrowing = true;
  agenda.at(agenda.nowMs() + 60_000 / setup.pollersAddedPerMinute, () => {
    mapping.isGrowing = false;
    if (line.visible() > 0) addPoller(mapping);
  });
}

function work(mapping: Mapping, poller: Poller): void {
  const { agenda, outcome, setup, traffic } = mapping;
  const batch = poller.batch.splice(0);
  const hasFailed = traffic.isDown(agenda.nowMs());
  const lastsMs = hasFailed ? setup.failMs : setup.batchMs(batch.length);
  outcome.batches.push(batch.length);
  outcome.busyMs += lastsMs;
  agenda.at(agenda.nowMs() + lastsMs, () => {
    if (hasFailed) {
      for (const message of batch) postpone(mapping, message);
      receive(mapping, poller);
      return;
    }
    for (const { arrivedMs } of batch) outcome.longestMs = Math.max(outcome.longestMs, agenda.nowMs() - arrivedMs);
    outcome.applied += batch.length;
    outcome.lastAppliedMs = agenda.nowMs();
    agenda.at(agenda.nowMs() + setup.deleteMs, () => {
      mapping.line.done(batch.length);
      receive(mapping, poller);
    });
  });
}

function postpone(mapping: Mapping, message: Message): void {
  const { agenda, line, outcome, traffic } = mapping;
  const delaySeconds = retryDelaySeconds(message.receives, traffic.random());
  outcome.postponements.push({ receiveCount: message.receives, delaySeconds });
  agenda.at(agenda.nowMs() + delaySeconds * 1_000, () => {
    line.putBack(message);
    offer(mapping);
  });
}
