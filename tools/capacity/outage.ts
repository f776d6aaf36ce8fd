import type { Assumptions } from './assumptions.ts';
import { queueSetup } from './load.ts';
import { poisson } from './simulation/arrivals.ts';
import type { QueueSample, QueueSetup } from './simulation/mapping.ts';
import { simulateQueue } from './simulation/queue.ts';
import { seededRandom } from './simulation/seeded-random.ts';
import type { StackFacts } from './stack-facts.ts';

/** An hour in which no worker can write, seen at one event's queue. Minutes count from its end. */
export type Outage = {
  readonly arrived: number;
  readonly dead: number;
  readonly mostInFlight: number;
  /** Until nothing waits any more, so that new webhooks are applied at once. */
  readonly caughtUpMinutes: number;
  /** Until the last postponed webhook is applied too. */
  readonly completeMinutes: number;
  readonly samples: readonly QueueSample[];
};

/** How DynamoDB fails: at once, or by not answering. */
export type Failure = 'failFastMs' | 'failSlowMs';

const outageMs = 3_600_000;
const sampleEveryMs = 30_000;
const seed = 20_261_124;
// More messages a second than these are simulated as one part of the queue, with its share of everything.
const simulatedPerSecond = 40;

/** Simulates it, with the same traffic before and after the outage's end. */
export function simulateOutage(
  webhooksPerSecond: number,
  failure: Failure,
  facts: StackFacts,
  assumed: Assumptions,
): Outage {
  const setup = queueSetup(facts, assumed, assumed[failure]);
  const perSecond = webhooksPerSecond / facts.eventSources.length;
  const parts = Math.min(setup.maxConcurrency, Math.ceil(perSecond / simulatedPerSecond));
  const { arrived, dead, mostInFlight, samples } = simulateQueue(partOf(setup, parts), {
    arrivalsMs: poisson(perSecond / parts, 2 * outageMs, seededRandom(seed)),
    isDown: (timeMs) => timeMs < outageMs,
    random: seededRandom(seed + 1),
    sampleEveryMs,
  });
  const minutesUntil = (isOver: (sample: QueueSample) => boolean) =>
    ((samples.find((sample) => sample.timeMs >= outageMs && isOver(sample))?.timeMs ?? Number.NaN) - outageMs) / 60_000;
  // What is always there: a second's arrivals and a batch.
  const few = perSecond / parts + setup.batchSize;
  return {
    arrived: arrived * parts,
    dead: dead * parts,
    mostInFlight: Math.round(mostInFlight * parts),
    caughtUpMinutes: minutesUntil(({ visible }) => visible <= few),
    completeMinutes: minutesUntil(({ visible, inFlight }) => visible + inFlight <= (perSecond > 1 ? few : 0)),
    samples: samples.map(({ timeMs, visible, inFlight }) => ({
      timeMs,
      visible: visible * parts,
      inFlight: inFlight * parts,
    })),
  };
}

function partOf(setup: QueueSetup, parts: number): QueueSetup {
  return {
    ...setup,
    maxConcurrency: Math.max(1, Math.round(setup.maxConcurrency / parts)),
    firstPollers: Math.max(1, Math.round(setup.firstPollers / parts)),
    pollersAddedPerMinute: setup.pollersAddedPerMinute / parts,
    inFlightLimit: setup.inFlightLimit / parts,
  };
}
