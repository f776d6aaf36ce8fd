import { table } from '../docs/table.ts';
import { type Assumptions, assumptions } from './assumptions.ts';
import { type Bill, billAt, perMillion, total } from './bill.ts';
import { simulateBurst, simulateOutage } from './incidents.ts';
import { limitsOf } from './limits.ts';
import { prices, readOn } from './prices.ts';
import { evenly } from './simulation/arrivals.ts';
import type { StackFacts } from './stack-facts.ts';

const rates = [1, 100, 1_000, 10_000] as const;
// Webhooks, and the seconds within which they arrive.
const bursts = Object.entries({ 500: 0, 1000: 0, 2000: 0, 10000: 10, 20000: 10, 100000: 60 });

/** Formats a month's bill with its assumptions and the sources of its prices. */
export function billReport(bill: Bill): string {
  const { facts, load, storage } = bill;
  const rate = load.webhooksPerSecond;
  const minimum = total(bill, 'webhooks', 'indexes');
  return [
    `${facts.template.stackName} at ${rate} webhooks per second: list prices of us-east-1, without free tiers`,
    linesTable(bill),
    `The total is ${(total(bill) / minimum).toFixed(2)} times the groups webhooks and indexes, the minimum of this design.
A million webhooks add ${quantity(storage.gigabytes)} GB to the table: ${storage.dollars.toFixed(3)} dollars for each month in which they are kept.
Simulated: ${quantity(load.recordsPerBatch)} records per batch, ${load.pollersPerEvent} pollers per event type.`,
    assumptionsTable(bill.assumed),
    pricesTable(bill),
  ].join('\n\n');
}

/** Calculates and formats the load by rate, the limits, an outage and bursts. Takes some seconds. */
export function limitsReport(facts: StackFacts, assumed: Assumptions): string {
  return [
    `${facts.template.stackName}: load and cost by rate`,
    loadTable(facts, assumed),
    `Limits, in the order in which a growing rate reaches them. Sources read ${readOn}.`,
    limitsTable(facts, assumed),
    'An hour in which no worker can write to DynamoDB, for one event type. Minutes count from its end.',
    outageTable(facts, assumed),
    'Bursts to an idle stack. Argyle sends a refused webhook once more, after 30 s. Refused again, it is lost until reconciliation.',
    burstTable(facts, assumed),
    assumptionsTable(assumed),
  ].join('\n\n');
}

function linesTable(bill: Bill): string {
  const dollars = (value: number) => [perMillion(value, bill.load.webhooksPerSecond).toFixed(4), value.toFixed(2)];
  const rows = bill.lines.map((line) => [line.group, line.name, quantity(line.units), ...dollars(line.dollars)]);
  const sum = ['', 'total', '', ...dollars(total(bill))];
  return table(['group', 'line', 'units a month', '$ per million webhooks', '$ a month'], [...rows, sum]);
}

function assumptionsTable(assumed: Assumptions): string {
  const values: Readonly<Record<string, number>> = assumed;
  const rows = Object.entries(assumptions).map(([name, [, meaning]]) => [name, String(values[name]), meaning]);
  return table(['assumption (--assume NAME=NUMBER)', 'value', 'meaning'], rows);
}

function pricesTable({ lines }: Bill): string {
  const rows = [...new Set(lines.map(({ price }) => price))].map((name) => {
    const { dollars, per, unit, source, confidence } = prices[name];
    return [name, String(dollars), `${quantity(per)} ${unit}`, `${source} (${confidence})`];
  });
  return table(['price', '$', 'for', `source, read ${readOn}`], rows);
}

function loadTable(facts: StackFacts, assumed: Assumptions): string {
  const rows = rates.map((rate) => {
    const bill = billAt(rate, facts, assumed);
    const { ingestConcurrency, workerConcurrency, pollersPerEvent, recordsPerBatch } = bill.load;
    const dollars = [(total(bill) * 24) / 730, perMillion(total(bill), rate)];
    return [rate, ingestConcurrency, workerConcurrency, pollersPerEvent, recordsPerBatch, ...dollars].map(quantity);
  });
  const load = ['ingest, concurrent', 'workers, concurrent', 'pollers per event', 'records per batch'];
  return table(['webhooks/s', ...load, '$ a day', '$ per million'], rows);
}

function limitsTable(facts: StackFacts, assumed: Assumptions): string {
  const rows = limitsOf(facts, assumed).map(({ name, value, unit, reachedAt, raiseBy, source }) => {
    const rate = Number.isFinite(reachedAt) ? quantity(Math.round(reachedAt)) : 'bursts or outages only';
    return [name, `${quantity(value)} ${unit}`, rate, raiseBy, source];
  });
  return table(['limit', 'value', 'reached at webhooks/s', 'to raise it', 'source'], rows);
}

function outageTable(facts: StackFacts, assumed: Assumptions): string {
  const failures = Object.entries({ 'returns errors': assumed.failFastMs, 'does not answer': assumed.failSlowMs });
  const rows = rates.flatMap((rate) =>
    failures.map(([failure, failMs]) => {
      const outage = simulateOutage(rate, failMs, facts, assumed);
      const minutes = [outage.caughtUpMinutes, outage.completeMinutes];
      const figures = [outage.arrived / 2, outage.maxInFlight, ...minutes, outage.dead];
      return [quantity(rate), failure, ...figures.map(quantity)];
    }),
  );
  const figures = ['webhooks', 'max in flight', 'caught up, min', 'complete, min', 'dead letters'];
  return table(['webhooks/s', 'DynamoDB', ...figures], rows);
}

function burstTable(facts: StackFacts, assumed: Assumptions): string {
  const rows = bursts.map(([count, seconds]) => {
    const burst = simulateBurst(evenly(Number(count), seconds * 1_000), facts, assumed);
    return [Number(count), seconds, burst.throttled, burst.lost, burst.maxEnvironments].map(quantity);
  });
  return table(['webhooks', 'within, s', 'refused at first', 'lost', 'environments of ingest'], rows);
}

function quantity(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 2 : 0 });
}
