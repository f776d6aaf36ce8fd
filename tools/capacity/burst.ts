import type { Assumptions } from './assumptions.ts';
import { queueSetup } from './load.ts';
import { quotas } from './quotas.ts';
import { evenly } from './simulation/arrivals.ts';
import { type FrontOutcome, simulateFront } from './simulation/front.ts';
import { simulateQueue } from './simulation/queue.ts';
import { seededRandom } from './simulation/seeded-random.ts';
import type { StackFacts } from './stack-facts.ts';

/** What a burst does to a stack that has been idle: at its front, and until all that was accepted is applied. */
export type Burst = FrontOutcome & {
  readonly count: number;
  readonly withinMs: number;
  readonly appliedAfterMs: number;
};

// Argyle's one retry. Two third parties say so.
const retryAfterMs = 30_000;
const seed = 20_261_124;

/** Sends so many webhooks, of all events alike, within a time, through the simulated stack. */
export function simulateBurst(count: number, withinMs: number, facts: StackFacts, assumed: Assumptions): Burst {
  const { stage, eventSources } = facts;
  const outcome = simulateFront(
    {
      perSecond: Math.min(stage.perSecond, quotas.gatewayRate.usual),
      burst: Math.min(stage.burst, quotas.gatewayBurst.usual),
      // The workers may have taken theirs.
      concurrency:
        quotas.lambdaConcurrency.usual - eventSources.reduce((sum, { maxConcurrency }) => sum + maxConcurrency, 0),
      environmentsIn10Seconds: quotas.lambdaScaling.usual,
      ingestMs: assumed.ingestMs,
      coldStartMs: assumed.coldStartMs,
      retryAfterMs,
    },
    evenly(count, withinMs),
  );
  const { lastAppliedMs } = simulateQueue(queueSetup(facts, assumed, assumed.failFastMs), {
    arrivalsMs: evenly(Math.round(outcome.accepted / eventSources.length), withinMs),
    isDown: () => false,
    random: seededRandom(seed),
  });
  return { ...outcome, count, withinMs, appliedAfterMs: lastAppliedMs };
}
