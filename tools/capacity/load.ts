import type { Assumptions } from './assumptions.ts';
import { lambdaPolling, sqsLimits } from './quotas.ts';
import { poisson } from './simulation/arrivals.ts';
import type { QueueSetup } from './simulation/mapping.ts';
import { simulateQueue } from './simulation/queue.ts';
import { seededRandom } from './simulation/seeded-random.ts';
import type { StackFacts } from './stack-facts.ts';

/** What a steady rate of webhooks makes of the stack. The events have equal shares. */
export type Load = {
  readonly webhooksPerSecond: number;
  /** Executions of ingest at once, on average. */
  readonly ingestConcurrency: number;
  /** Execution environments of ingest: enough for its peaks. */
  readonly ingestEnvironments: number;
  /** Executions of all workers at once, on average. */
  readonly workerConcurrency: number;
  /** Pollers of one event. */
  readonly pollers: number;
  /** Records in a batch, on average. */
  readonly batchFill: number;
  /** Receives that brought messages, for each webhook. */
  readonly receivesPerWebhook: number;
  /** Receives that brought nothing, of all events, each second. */
  readonly emptyReceivesPerSecond: number;
};

// Enough to average over: so many webhooks of an event, within these times.
const wantedWebhooks = 20_000;
const shortestMs = 30_000;
const longestMs = 12 * 3_600_000;
const seed = 20_261_124;

/** The queue of one event and its worker, as the template and the assumptions have them. */
export function queueSetup(facts: StackFacts, assumed: Assumptions, failMs: number): QueueSetup {
  const [source] = facts.eventSources;
  if (!source) throw new Error('The template has no event source mapping.');
  const askingMs = (assumed.argyleMs * facts.fetching) / facts.eventSources.length;
  return {
    ...source,
    ...lambdaPolling,
    inFlightLimit: sqsLimits.inFlight,
    receiveMs: assumed.receiveMs,
    deleteMs: assumed.deleteMs,
    batchMs: (records) => assumed.workerMs + askingMs + (records - 1) * assumed.workerMsPerRecord,
    failMs,
  };
}

/** Simulates one event's queue under its share of the rate, and gives what that means for the whole stack. */
export function loadAt(webhooksPerSecond: number, facts: StackFacts, assumed: Assumptions): Load {
  const share = webhooksPerSecond / facts.eventSources.length;
  const endMs = Math.min(longestMs, Math.max(shortestMs, (wantedWebhooks / share) * 1_000));
  const { batches, receives, emptyReceives, arrived, busyMs, mostPollers } = simulateQueue(
    queueSetup(facts, assumed, assumed.failFastMs),
    { arrivalsMs: poisson(share, endMs, seededRandom(seed)), isDown: () => false, random: seededRandom(seed), endMs },
  );
  const ingestConcurrency = (webhooksPerSecond * assumed.ingestMs) / 1_000;
  const records = batches.reduce((sum, batch) => sum + batch, 0);
  return {
    webhooksPerSecond,
    ingestConcurrency,
    // Three standard deviations above the average.
    ingestEnvironments: Math.ceil(ingestConcurrency + 3 * Math.sqrt(ingestConcurrency)),
    workerConcurrency: (busyMs / endMs) * facts.eventSources.length,
    pollers: mostPollers,
    batchFill: records / batches.length,
    receivesPerWebhook: (receives - emptyReceives) / arrived,
    emptyReceivesPerSecond: (emptyReceives / endMs) * 1_000 * facts.eventSources.length,
  };
}
