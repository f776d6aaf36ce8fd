import type { Burst } from './burst.ts';
import type { Capacity, Limit, RateCapacity } from './capacity.ts';
import { perMillion, total } from './cost-line.ts';
import { quotas } from './quotas.ts';
import { markdownTable } from './text-table.ts';

/** Concurrency, batch fill, writes and cost at each rate. */
export function loadTable({ rates }: Capacity): string {
  return markdownTable(
    [
      'Webhooks/s',
      'Ingest at once',
      'Workers at once',
      'Pollers an event',
      'Records a batch',
      '$ a day',
      '$ a million',
    ],
    rates.map(({ webhooksPerSecond, cost, dollarsADay }) => [
      count(webhooksPerSecond),
      decimal(cost.load.ingestConcurrency),
      decimal(cost.load.workerConcurrency),
      count(cost.load.pollers),
      decimal(cost.load.batchFill),
      dollarsADay.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
      perMillion(total(cost.lines), webhooksPerSecond).toFixed(2),
    ]),
  );
}

/** Quotas and settings, the first that is met first. */
export function limitTable({ limits }: Capacity): string {
  return markdownTable(
    ['Limit', 'Default', 'Met at webhooks/s', 'Raise it by', 'Source'],
    limits.map(({ name, usual, unit, metAt, raise, source }) => [
      name,
      `${count(usual)} ${unit}`,
      metAt === undefined ? 'in bursts or outages only' : count(metAt),
      raise,
      source.startsWith('https://') ? `<${source}>` : source,
    ]),
  );
}

/** What has to be raised before a rate, with a fifth to spare. */
export function raiseTable({ limits, rates }: Capacity): string {
  const isShort = ({ metAt, name }: Limit, rate: number) =>
    metAt !== undefined && rate > 0.8 * metAt && name !== quotas.argyleRequests.name;
  return markdownTable(
    ['Webhooks/s', 'Raise first'],
    rates.map(({ webhooksPerSecond }) => {
      const short = limits.filter((limit) => isShort(limit, webhooksPerSecond));
      return [
        count(webhooksPerSecond),
        short.map(({ short: what, raise }) => `${what} (${raise})`).join('; ') || 'nothing',
      ];
    }),
  );
}

/** The outage at each rate, when DynamoDB refuses and when it does not answer. */
export function outageTable({ rates }: Capacity): string {
  const row = (rate: RateCapacity, kind: 'refusing' | 'silent') => {
    const { arrived, dead, mostInFlight, caughtUpMinutes, completeMinutes } = rate[kind];
    return [
      count(rate.webhooksPerSecond),
      kind === 'refusing' ? 'refuses at once' : 'does not answer',
      count(arrived / 2),
      count(mostInFlight),
      decimal(caughtUpMinutes),
      decimal(completeMinutes),
      count(dead),
    ];
  };
  return markdownTable(
    [
      'Webhooks/s',
      'DynamoDB',
      'Webhooks of an event',
      'In flight at most',
      'Caught up, min',
      'Complete, min',
      'Dead letters',
    ],
    rates.flatMap((rate) => [row(rate, 'refusing'), row(rate, 'silent')]),
  );
}

/** Bursts and what they lose. */
export function burstTable({ bursts }: Capacity): string {
  return markdownTable(
    ['Webhooks', 'Within', 'Refused at first', 'Lost', 'Executions of ingest', 'All accepted applied after'],
    bursts.map(({ count: sent, withinMs, throttled, lost, mostEnvironments, appliedAfterMs }: Burst) => [
      count(sent),
      withinMs === 0 ? 'at once' : `${withinMs / 1_000} s`,
      count(throttled),
      count(lost),
      count(mostEnvironments),
      `${(appliedAfterMs / 1_000).toFixed(1)} s`,
    ]),
  );
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function decimal(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(1);
}
