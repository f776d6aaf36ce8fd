import { alternativesTo, whatIfs } from './alternatives.ts';
import { assumptions } from './assumptions.ts';
import type { Cost } from './cost.ts';
import { perMillion, total } from './cost-line.ts';
import { type Price, prices, readOn } from './prices.ts';

/** A table: its header and its rows. */
export type Table = readonly [header: readonly string[], rows: readonly (readonly string[])[]];

/** The bill of a month, line by line. */
export function linesTable({ lines, load }: Cost): Table {
  const rate = load.webhooksPerSecond;
  const rows = lines.map(({ group, name, units, dollars }) => [
    group,
    name,
    quantity(units),
    fixed(perMillion(dollars, rate), 4),
    fixed(dollars, 2),
  ]);
  const sum = total(lines);
  return [
    ['group', 'line', 'units a month', '$ a million webhooks', '$ a month'],
    [...rows, ['', 'together', '', fixed(perMillion(sum, rate), 4), fixed(sum, 2)]],
  ];
}

/** Each goal beside what is reached, against each floor. */
export function goalsTable({ goals }: Cost): Table {
  return [
    ['what', 'floor', '$ a million', 'floor, $', 'times', 'goal', 'shortfall'],
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
  ];
}

/** The bill with other settings. */
export function whatIfTable(cost: Cost): Table {
  return [
    ['if it were otherwise', '$ a million', "times the contract's floor"],
    whatIfs(cost).map(({ name, dollars, times }) => [name, fixed(dollars, 3), fixed(times, 2)]),
  ];
}

/** What other shapes cost more or less. */
export function alternativesTable(cost: Cost): Table {
  return [
    ['alternative', '$ a million more'],
    alternativesTo(cost).map(({ name, difference }) => [name, `${difference < 0 ? '' : '+'}${fixed(difference, 3)}`]),
  ];
}

/** What no template says. */
export function assumptionsTable({ assumed }: Pick<Cost, 'assumed'>): Table {
  return [
    ['assumption', 'value', 'what'],
    Object.entries(assumptions).map(([name, [, why]]) => [name, String(assumed[name as keyof typeof assumed]), why]),
  ];
}

/** Where the prices come from that the bill uses. */
export function sourcesTable({ lines }: Cost): Table {
  const used = [...new Set(lines.map(({ price }) => price))];
  return [
    ['price', '$', 'for', `source, read ${readOn}`],
    used.map((name) => {
      const { dollars, per, unit, source, confidence }: Price = prices[name];
      return [name, String(dollars), `${quantity(per)} ${unit}`, `${source} (${confidence})`];
    }),
  ];
}

function quantity(units: number): string {
  return units.toLocaleString('en-US', { maximumFractionDigits: units < 100 ? 2 : 0 });
}

function fixed(value: number, digits: number): string {
  return value.toFixed(digits);
}
