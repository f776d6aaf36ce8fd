import type { Assumptions } from './assumptions.ts';
import { poisson } from './simulation/arrivals.ts';
import { type QueueSetup, simulateQueue } from './simulation/event-source.ts';
import { seededRandom } from './simulation/seeded-random.ts';
import type { StackFacts } from './stack-facts.ts';

/** Maximum number of messages in flight in a standard queue. quotas-queues.html, read 2026-11-24. */
export const maxInFlight = 120_000;

// How Lambda polls a standard queue. services-sqs-scaling.html, read 2026-11-24.
const lambdaPolling = { firstPollers: 5, pollersAddedPerMinute: 300, longPollMs: 20_000 } as const;

// The simulation lasts until this number of webhooks of an event type has arrived, but at least and at most these times.
const simulatedWebhooks = 20_000;
const minMs = 30_000;
const maxMs = 12 * 3_600_000;
const seed = 20_261_124;

/** Returns the queue and worker of one event type, from the template and the assumptions. */
export function queueSetup(facts: StackFacts, assumed: Assumptions, failMs = assumed.failFastMs): QueueSetup {
  const [source] = facts.eventSources;
  if (!source) throw new Error('The template has no event source mapping.');
  const firstRecordMs = assumed.workerMs + assumed.argyleMs * facts.fetchingShare;
  return {
    ...source,
    ...lambdaPolling,
    maxInFlight,
    receiveMs: assumed.receiveMs,
    deleteMs: assumed.deleteMs,
    batchMs: (records) => firstRecordMs + (records - 1) * assumed.workerMsPerRecord,
    failMs,
  };
}

/** Returns the load that a steady rate of webhooks causes. All event types have equal shares, so one queue is simulated. */
export function loadAt(webhooksPerSecond: number, facts: StackFacts, assumed: Assumptions) {
  const queues = facts.eventSources.length;
  const perSecond = webhooksPerSecond / queues;
  const endMs = Math.min(maxMs, Math.max(minMs, (simulatedWebhooks / perSecond) * 1_000));
  const { batches, receives, emptyReceives, arrived, busyMs, maxPollers } = simulateQueue(queueSetup(facts, assumed), {
    arrivalsMs: poisson(perSecond, endMs, seededRandom(seed)),
    isDown: () => false,
    random: seededRandom(seed),
    endMs,
  });
  /** Average number of concurrent executions. */
  const ingestConcurrency = (webhooksPerSecond * assumed.ingestMs) / 1_000;
  return {
    webhooksPerSecond,
    ingestConcurrency,
    /** Execution environments of ingest for its peaks: three standard deviations above the average. */
    ingestEnvironments: Math.ceil(ingestConcurrency + 3 * Math.sqrt(ingestConcurrency)),
    /** Average number of concurrent executions of all workers. */
    workerConcurrency: (busyMs / endMs) * queues,
    pollersPerEvent: maxPollers,
    recordsPerBatch: batches.reduce((sum, records) => sum + records, 0) / batches.length,
    /** Receives that returned messages. */
    receivesPerWebhook: (receives - emptyReceives) / arrived,
    emptyReceivesPerSecond: (emptyReceives / endMs) * 1_000 * queues,
  };
}
