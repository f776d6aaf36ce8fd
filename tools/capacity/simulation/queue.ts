import { createAgenda } from './agenda.ts';
import { createLine } from './line.ts';
import { addPoller, type Mapping, offer } from './mapping.ts';

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

/** The queue at a time: messages that wait, and messages that are worked on or postponed. */
export type QueueSample = { readonly timeMs: number; readonly visible: number; readonly inFlight: number };

/** Runs messages through one queue and its worker in virtual time: the same random numbers give the same outcome. */
export function simulateQueue(setup: QueueSetup, traffic: QueueTraffic): QueueOutcome {
  const agenda = createAgenda();
  const mapping: Mapping = {
    ...{ setup, traffic, agenda, line: createLine(setup), idle: [], outcome: emptyOutcome() },
    ...{ pollers: 0, waits: 0, isGrowing: false, hasEnded: false },
  };
  letArrive(mapping, traffic.arrivalsMs[Symbol.iterator]());
  for (let count = 0; count < setup.firstPollers; count += 1) addPoller(mapping);
  if (traffic.sampleEveryMs) look(mapping, traffic.sampleEveryMs);
  agenda.run(traffic.endMs);
  return mapping.outcome;
}

function letArrive(mapping: Mapping, arrivals: Iterator<number>): void {
  const { value, done } = arrivals.next();
  if (done) {
    mapping.hasEnded = true;
    return;
  }
  mapping.agenda.at(value, () => {
    mapping.outcome.arrived += 1;
    mapping.line.put({ arrivedMs: mapping.agenda.nowMs(), receives: 0 });
    letArrive(mapping, arrivals);
    offer(mapping);
  });
}

function look(mapping: Mapping, everyMs: number): void {
  const { agenda, line, outcome, hasEnded } = mapping;
  outcome.samples.push({ timeMs: agenda.nowMs(), visible: line.visible(), inFlight: line.inFlight() });
  if (!hasEnded || outcome.applied + line.dead() < outcome.arrived)
    agenda.at(agenda.nowMs() + everyMs, () => look(mapping, everyMs));
}

function emptyOutcome(): QueueOutcome {
  return {
    ...{ arrived: 0, applied: 0, dead: 0, receives: 0, emptyReceives: 0, mostPollers: 0, mostInFlight: 0 },
    ...{ lastAppliedMs: 0, longestMs: 0, busyMs: 0, batches: [], postponements: [], samples: [] },
  };
}
