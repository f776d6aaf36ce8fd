import { isRetryOver, retryDelaySeconds } from '../../../functions/domain/retry-budget.ts';
import { createQueue, type Message, type Queue } from './queue.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

export type QueueSetup = {
  readonly batchSize: number;
  readonly windowMs: number;
  /** Maximum number of batches that are processed at the same time. */
  readonly maxConcurrency: number;
  /** The number of pollers that Lambda starts with, and how many it adds per minute while full batches leave messages behind. */
  readonly firstPollers: number;
  readonly pollersAddedPerMinute: number;
  readonly longPollMs: number;
  readonly maxReceiveCount: number;
  readonly maxInFlight: number;
  readonly receiveMs: number;
  readonly deleteMs: number;
  /** Duration of a successful batch, and of a failed one. */
  readonly batchMs: (records: number) => number;
  readonly failMs: number;
};

export type QueueTraffic = {
  /** Ascending. */
  readonly arrivalsMs: Iterable<number>;
  /** Whether a batch that starts now fails. */
  readonly isDown: (timeMs: number) => boolean;
  readonly random: () => number;
  /** Without it, the simulation ends when the queue is empty. */
  readonly endMs?: number;
};

export type QueueSample = { readonly timeMs: number; readonly visible: number; readonly inFlight: number };

export type QueueOutcome = ReturnType<typeof emptyOutcome>;

type Simulation = {
  readonly setup: QueueSetup;
  readonly traffic: QueueTraffic;
  readonly clock: VirtualClock;
  readonly queue: Queue;
  readonly outcome: QueueOutcome;
  /** Pollers whose long poll has received nothing yet. */
  readonly waiting: Poller[];
  pollers: number;
  isScaling: boolean;
  /** Whether all messages have arrived. */
  hasEnded: boolean;
};

/** `longPoll` identifies the current long poll, so that only its own time-out ends it. */
type Poller = { batch: Message[]; windowEndsMs: number; longPoll?: object | undefined };

const sampleEveryMs = 30_000;

/** Runs messages through a queue and its worker in virtual time. The same random numbers produce the same outcome. */
export function simulateQueue(setup: QueueSetup, traffic: QueueTraffic): QueueOutcome {
  const simulation: Simulation = {
    ...{ setup, traffic, clock: createVirtualClock(), queue: createQueue(setup), waiting: [] },
    ...{ outcome: emptyOutcome(), pollers: 0, isScaling: false, hasEnded: false },
  };
  scheduleNextArrival(simulation, traffic.arrivalsMs[Symbol.iterator]());
  for (let count = 0; count < setup.firstPollers; count += 1) addPoller(simulation);
  takeSample(simulation);
  simulation.clock.run(traffic.endMs);
  simulation.outcome.dead = simulation.queue.dead();
  return simulation.outcome;
}

function emptyOutcome() {
  return {
    ...{ arrived: 0, applied: 0, dead: 0, receives: 0, emptyReceives: 0, maxPollers: 0, maxInFlight: 0 },
    /** Sum of the durations of all batches. */
    busyMs: 0,
    /** The number of records of each batch. */
    batches: [] as number[],
    /** The backoff of each failed message. */
    delaysSeconds: [] as number[],
    samples: [] as QueueSample[],
  };
}

function scheduleNextArrival(simulation: Simulation, arrivals: Iterator<number>): void {
  const { value, done } = arrivals.next();
  simulation.hasEnded = done === true;
  if (done) return;
  simulation.clock.at(value, () => {
    simulation.outcome.arrived += 1;
    simulation.queue.send({ receives: 0, sentMs: value });
    scheduleNextArrival(simulation, arrivals);
    wakePollers(simulation);
  });
}

function takeSample(simulation: Simulation): void {
  const { clock, queue, outcome } = simulation;
  outcome.samples.push({ timeMs: clock.nowMs(), visible: queue.visible(), inFlight: queue.inFlight() });
  if (!isDone(simulation)) clock.at(clock.nowMs() + sampleEveryMs, () => takeSample(simulation));
}

function isDone({ hasEnded, outcome, queue }: Simulation): boolean {
  return hasEnded && outcome.applied + queue.dead() === outcome.arrived;
}

function addPoller(simulation: Simulation): void {
  simulation.pollers += 1;
  simulation.outcome.maxPollers = Math.max(simulation.outcome.maxPollers, simulation.pollers);
  receive(simulation, { batch: [], windowEndsMs: 0 });
}

// Passes visible messages to the pollers that wait for them.
function wakePollers(simulation: Simulation): void {
  while (simulation.queue.visible() > 0) {
    const [poller] = simulation.waiting;
    if (!poller || !fillBatch(simulation, poller)) return;
    simulation.waiting.shift();
    poller.longPoll = undefined;
  }
}

function receive(simulation: Simulation, poller: Poller): void {
  const { clock, outcome, setup, waiting } = simulation;
  if (isDone(simulation)) return;
  outcome.receives += 1;
  if (fillBatch(simulation, poller)) return;
  const longPoll = {};
  poller.longPoll = longPoll;
  waiting.push(poller);
  const endsMs = poller.batch.length > 0 ? poller.windowEndsMs : clock.nowMs() + setup.longPollMs;
  clock.at(endsMs, () => {
    if (poller.longPoll === longPoll) endLongPoll(simulation, poller);
  });
}

// Returns whether there was a message to receive.
function fillBatch(simulation: Simulation, poller: Poller): boolean {
  const { clock, queue, outcome, setup } = simulation;
  const received = queue.receive(setup.batchSize - poller.batch.length);
  if (received.length === 0) return false;
  outcome.maxInFlight = Math.max(outcome.maxInFlight, queue.inFlight());
  if (poller.batch.length === 0) poller.windowEndsMs = clock.nowMs() + setup.windowMs;
  poller.batch.push(...received);
  if (received.length === setup.batchSize) scaleUp(simulation);
  clock.at(clock.nowMs() + setup.receiveMs, () => {
    if (poller.batch.length < setup.batchSize && clock.nowMs() < poller.windowEndsMs) receive(simulation, poller);
    else processBatch(simulation, poller);
  });
  return true;
}

function endLongPoll(simulation: Simulation, poller: Poller): void {
  simulation.waiting.splice(simulation.waiting.indexOf(poller), 1);
  poller.longPoll = undefined;
  simulation.outcome.emptyReceives += 1;
  if (poller.batch.length > 0) processBatch(simulation, poller);
  else if (simulation.pollers > simulation.setup.firstPollers) simulation.pollers -= 1;
  else receive(simulation, poller);
}

function scaleUp(simulation: Simulation): void {
  const { clock, queue, setup } = simulation;
  if (simulation.isScaling || queue.visible() === 0 || simulation.pollers >= setup.maxConcurrency) return;
  simulation.isScaling = true;
  clock.at(clock.nowMs() + 60_000 / setup.pollersAddedPerMinute, () => {
    simulation.isScaling = false;
    if (queue.visible() > 0) addPoller(simulation);
  });
}

function processBatch(simulation: Simulation, poller: Poller): void {
  const { clock, outcome, setup, traffic } = simulation;
  const batch = poller.batch.splice(0);
  const hasFailed = traffic.isDown(clock.nowMs());
  const durationMs = hasFailed ? setup.failMs : setup.batchMs(batch.length);
  outcome.batches.push(batch.length);
  outcome.busyMs += durationMs;
  clock.at(clock.nowMs() + durationMs, () => {
    if (hasFailed) {
      for (const message of batch) endFailed(simulation, message);
      receive(simulation, poller);
      return;
    }
    outcome.applied += batch.length;
    clock.at(clock.nowMs() + setup.deleteMs, () => {
      simulation.queue.delete(batch.length);
      receive(simulation, poller);
    });
  });
}

// As the worker does: gives a message up after six hours, and postpones it before.
function endFailed(simulation: Simulation, message: Message): void {
  const { clock, queue, outcome, traffic } = simulation;
  if (isRetryOver(message.sentMs, clock.nowMs())) {
    queue.giveUp();
    return;
  }
  const delaySeconds = retryDelaySeconds(message.receives, traffic.random());
  outcome.delaysSeconds.push(delaySeconds);
  clock.at(clock.nowMs() + delaySeconds * 1_000, () => {
    queue.return(message);
    wakePollers(simulation);
  });
}
