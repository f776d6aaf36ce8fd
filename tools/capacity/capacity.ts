import { type EventType, events, eventTypes } from '../../functions/domain/events.ts';
import { removalSlot } from '../../functions/domain/upload-record.ts';
import type { Assumptions } from './assumptions.ts';
import { type Burst, simulateBurst } from './burst.ts';
import { type Cost, costAt } from './cost.ts';
import { total } from './cost-line.ts';
import type { Measured } from './measure.ts';
import { type Outage, simulateOutage } from './outage.ts';
import { type Quota, quotas } from './quotas.ts';
import type { StackFacts } from './stack-facts.ts';

/** What the stack can do, by webhooks a second. */
export type Capacity = {
  readonly facts: StackFacts;
  readonly assumed: Assumptions;
  readonly rates: readonly RateCapacity[];
  readonly limits: readonly Limit[];
  readonly bursts: readonly Burst[];
};

/** One rate: its bill with concurrency and batch fill, and an hour's outage, when DynamoDB refuses and when it does not answer. */
export type RateCapacity = {
  readonly webhooksPerSecond: number;
  readonly cost: Cost;
  readonly dollarsADay: number;
  readonly refusing: Outage;
  readonly silent: Outage;
};

/** A quota, or a setting of our own, and the webhooks a second at which it is met; `undefined` when no steady rate does. */
export type Limit = Quota & { readonly metAt: number | undefined };

/** The rates of the page. */
export const rates = [1, 100, 1_000, 10_000] as const;

const bursts = [
  [500, 0],
  [1_000, 0],
  [2_000, 0],
  [10_000, 10_000],
  [20_000, 10_000],
  [100_000, 60_000],
] as const;

/** Simulates and prices everything; takes some seconds. */
export function readCapacity(facts: StackFacts, measured: Measured, assumed: Assumptions): Capacity {
  const byRate = rates.map((webhooksPerSecond): RateCapacity => {
    const cost = costAt(webhooksPerSecond, facts, measured, assumed);
    return {
      webhooksPerSecond,
      cost,
      dollarsADay: (total(cost.lines) * 24) / 730,
      refusing: simulateOutage(webhooksPerSecond, 'failFastMs', facts, assumed),
      silent: simulateOutage(webhooksPerSecond, 'failSlowMs', facts, assumed),
    };
  });
  return {
    facts,
    assumed,
    rates: byRate,
    limits: limitsOf(facts, byRate),
    bursts: bursts.map(([count, withinMs]) => simulateBurst(count, withinMs, facts, assumed)),
  };
}

function limitsOf(facts: StackFacts, byRate: readonly RateCapacity[]): readonly Limit[] {
  const load = byRate.at(-1)?.cost.load;
  if (!load) return [];
  const perWebhook = (used: number) => used / load.webhooksPerSecond;
  const met = (quota: Quota, usedPerWebhook: number): Limit => ({ ...quota, metAt: quota.usual / usedPerWebhook });
  const never = (quota: Quota): Limit => ({ ...quota, metAt: undefined });
  return [
    met(stageLimit(facts), 1),
    met(quotas.gatewayRate, 1),
    never(quotas.gatewayBurst),
    met(quotas.lambdaConcurrency, perWebhook(load.ingestConcurrency + load.workerConcurrency)),
    met(quotas.lambdaRequests, 1 + 1 / load.batchFill),
    never(quotas.lambdaScaling),
    met(mappingLimit(facts), perWebhook(load.workerConcurrency / facts.eventSources.length)),
    never(quotas.queueInFlight),
    met(quotas.tableWarm, 1),
    met(quotas.tableWrites, 1),
    never(quotas.partitionWrites),
    met(quotas.secretReads, perWebhook((load.ingestEnvironments * 3) / 60)),
    met(quotas.argyleRequests, fetchingShare()),
  ].sort((one, other) => (one.metAt ?? Number.POSITIVE_INFINITY) - (other.metAt ?? Number.POSITIVE_INFINITY));
}

function stageLimit({ stage }: StackFacts): Quota {
  return {
    name: `Our own throttle of the API (its burst is ${stage.burst.toLocaleString('en-US')})`,
    short: 'our throttle of the API',
    usual: stage.perSecond,
    unit: 'requests/s',
    raise: '`requestsPerSecond` in `infra/ingest-api.ts`',
    source: 'the template',
  };
}

function mappingLimit({ eventSources }: StackFacts): Quota {
  return {
    name: 'Our own `maxConcurrency` of each event',
    short: 'our `maxConcurrency`',
    usual: eventSources[0]?.maxConcurrency ?? Number.NaN,
    unit: 'batches at once',
    raise: '`maxConcurrency` in `infra/event-pipeline.ts`',
    source: 'the template',
  };
}

// Of the catalogue's events, those that a document is fetched after, if there are credentials for Argyle.
function fetchingShare(): number {
  const isFetching = (event: EventType) => events[event].slot !== removalSlot;
  return eventTypes.filter(isFetching).length / eventTypes.length;
}
