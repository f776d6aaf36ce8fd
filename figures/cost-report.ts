import { alternativesTo, whatIfs } from './alternatives.ts';
import { assumptions } from './assumptions.ts';
import type { Cost, Goal } from './cost.ts';
import { perMillion, total } from './cost-line.ts';
import { type Price, prices, readOn } from './prices.ts';
import { storageOf } from './storage.ts';
import { textTable } from './text-table.ts';

/** The bill of a month at a steady rate as text: lines, goals with shortfalls, alternatives, assumptions, sources. */
export function costReport(cost: Cost): string {
  const { load, measured, facts } = cost;
  const rate = load.webhooksPerSecond;
  const { gigabytes, dollarsAMonth } = storageOf(cost);
  return [
    `${facts.template.stackName} at ${rate} webhooks a second, list prices of us-east-1, no free tier`,
    `Simulated: ${fixed(load.batchFill, 2)} records a batch, ${load.pollers} pollers an event, ${fixed(load.ingestConcurrency, 2)} executions of ingest and ${fixed(load.workerConcurrency, 2)} of the workers at once.`,
    `Measured: ${Math.round(measured.ingestBytes)} bytes printed by ingest, ${Math.round(measured.workerBytes.first)} by a worker and ${Math.round(measured.workerBytes.further)} for each further record, ${measured.recordBytes} bytes stored at most.`,
    '',
    linesTable(cost),
    '',
    goalsTable(cost.goals),
    '',
    'The first floor is not reachable: no worker reads a queue without receiving, deleting and running. The second has what',
    'every solution of this shape pays at the same batch fill and durations; the third also has the indexes that the stack promises.',
    'The goals are for 100 webhooks a second.',
    '',
    textTable(
      ['If it were otherwise', '$ a million', "x the contract's floor"],
      whatIfs(cost).map(({ name, dollars, times }) => [name, fixed(dollars, 3), fixed(times, 2)]),
    ),
    '',
    textTable(
      ['Alternative', '$ a million more'],
      alternativesTo(cost).map(({ name, difference }) => [name, signed(difference)]),
    ),
    '',
    `A million webhooks leave ${fixed(gigabytes, 2)} GB in the table: ${fixed(dollarsAMonth, 3)} dollars each month that they are kept.`,
    '',
    textTable(
      ['Assumed (--assume NAME=VALUE)', 'value', 'what'],
      Object.entries(assumptions).map(([name, [, why]]) => [
        name,
        String(cost.assumed[name as keyof Cost['assumed']]),
        why,
      ]),
    ),
    '',
    sourcesTable(cost),
    '',
  ].join('\n');
}

function linesTable({ lines, load }: Cost): string {
  const rate = load.webhooksPerSecond;
  const rows = lines.map(({ group, name, units, dollars }) => [
    group,
    name,
    quantity(units),
    fixed(perMillion(dollars, rate), 4),
    fixed(dollars, 2),
  ]);
  const sum = total(lines);
  return textTable(
    ['group', 'line', 'units a month', '$ a million webhooks', '$ a month'],
    [...rows, ['', 'together', '', fixed(perMillion(sum, rate), 4), fixed(sum, 2)]],
  );
}

function goalsTable(goals: readonly Goal[]): string {
  return textTable(
    ['goal', 'floor', '$ a million', 'of the floor', 'times', 'goal', 'shortfall'],
    goals.flatMap(({ what, dollars, atMost, floors }) =>
      floors.map(({ name, dollars: floor, times }) => [
        what,
        name,
        fixed(dollars, 3),
        fixed(floor, 3),
        fixed(times, 3),
        fixed(atMost, 2),
        times <= atMost ? 'none' : fixed(times - atMost, 3),
      ]),
    ),
  );
}

function sourcesTable({ lines }: Cost): string {
  const used = [...new Set(lines.map(({ price }) => price))];
  return textTable(
    ['Price', '$', 'for', `source, read ${readOn}`],
    used.map((name) => {
      const { dollars, per, unit, source, confidence }: Price = prices[name];
      return [name, String(dollars), `${quantity(per)} ${unit}`, `${source} (${confidence})`];
    }),
  );
}

function quantity(units: number): string {
  return units.toLocaleString('en-US', { maximumFractionDigits: units < 100 ? 2 : 0 });
}

function fixed(value: number, digits: number): string {
  return value.toFixed(digits);
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(3)}`;
}
