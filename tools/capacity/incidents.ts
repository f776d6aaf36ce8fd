import type { Assumptions } from './assumptions.ts';
import { quotas } from './limits.ts';
import { queueSetup } from './load.ts';
import { poisson } from './simulation/arrivals.ts';
import { type QueueSample, type QueueSetup, simulateQueue } from './simulation/event-source.ts';
import { simulateIngest } from './simulation/ingest.ts';
import { seededRandom } from './simulation/seeded-random.ts';
import type { StackFacts } from './stack-facts.ts';

const outageMs = 3_600_000;
const seed = 20_261_124;
// Above this rate of webhooks, only a fraction of the queue is simulated, with the same fraction of the traffic and of the
// limits, and the results are multiplied.
const simulatedPerSecond = 40;
// Argyle retries once. Source: two third parties.
const argyleRetryMs = 30_000;

/**
 * Simulates the queue of one event type during an hour in which every write fails after `failMs`, and in the hour after it. `arrived`
 * counts both hours; minutes count from the end of the outage.
 */
export function simulateOutage(webhooksPerSecond: number, failMs: number, facts: StackFacts, assumed: Assumptions) {
  const setup = queueSetup(facts, assumed, failMs);
  const perSecond = webhooksPerSecond / facts.eventSources.length;
  const parts = Math.min(setup.maxConcurrency, Math.ceil(perSecond / simulatedPerSecond));
  const { arrived, dead, maxInFlight, samples } = simulateQueue(partOf(setup, parts), {
    arrivalsMs: poisson(perSecond / parts, 2 * outageMs, seededRandom(seed)),
    isDown: (timeMs) => timeMs < outageMs,
    random: seededRandom(seed + 1),
  });
  const minutesUntil = (isOver: (sample: QueueSample) => boolean) =>
    ((samples.find((sample) => sample.timeMs >= outageMs && isOver(sample))?.timeMs ?? Number.NaN) - outageMs) / 60_000;
  // The messages of normal operation: the arrivals of one second and a batch.
  const normal = perSecond / parts + setup.batchSize;
  return {
    arrived: arrived * parts,
    dead: dead * parts,
    maxInFlight: Math.round(maxInFlight * parts),
    /** Until no visible message waits, so that a new webhook is applied at once. */
    caughtUpMinutes: minutesUntil(({ visible }) => visible <= normal),
    /** Until the last postponed webhook is applied. */
    completeMinutes: minutesUntil(({ visible, inFlight }) => visible + inFlight <= (perSecond > 1 ? normal : 0)),
  };
}

function partOf(setup: QueueSetup, parts: number): QueueSetup {
  return {
    ...setup,
    maxConcurrency: Math.max(1, Math.round(setup.maxConcurrency / parts)),
    firstPollers: Math.max(1, Math.round(setup.firstPollers / parts)),
    pollersAddedPerMinute: setup.pollersAddedPerMinute / parts,
    maxInFlight: setup.maxInFlight / parts,
  };
}

/** Simulates webhooks that arrive at an idle stack, at the given times. */
export function simulateBurst(arrivalsMs: readonly number[], facts: StackFacts, assumed: Assumptions) {
  const workers = facts.eventSources.reduce((sum, { maxConcurrency }) => sum + maxConcurrency, 0);
  const setup = {
    perSecond: Math.min(facts.requestsPerSecond, quotas.gatewayRate.value),
    burst: Math.min(facts.requestBurst, quotas.gatewayBurst.value),
    // The workers may use all of their concurrency at the same time.
    concurrency: quotas.lambdaConcurrency.value - workers,
    retryAfterMs: argyleRetryMs,
  };
  return simulateIngest({ ...assumed, ...setup }, arrivalsMs);
}
