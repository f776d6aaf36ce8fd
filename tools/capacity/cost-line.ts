import { dollarsFor, type PriceName } from './prices.ts';

/**
 * What a line of the cost belongs to. `floor`: what no webhook can do without in this shape: an API request, a Lambda request, a
 * send, a write. `batch`: what the shape needs beside it, at the same batch fill: receive, delete, the worker's request, the
 * time of both functions, the answer. `index`: the entries of the indexes. `rest`: all else but what only tells people what
 * happens: `logs`, and by the month `watching`.
 */
export type CostGroup = 'floor' | 'batch' | 'index' | 'rest' | 'logs' | 'watching';

/** One line of a month's bill. */
export type CostLine = {
  readonly group: CostGroup;
  readonly name: string;
  readonly price: PriceName;
  /** A month's, in the price's unit. */
  readonly units: number;
  /** A month's. */
  readonly dollars: number;
};

/** Seconds of a month, as AWS counts them: 730 hours. */
export const monthSeconds = 730 * 3_600;

/** A line for so many units a month. */
export function costLine(group: CostGroup, name: string, price: PriceName, units: number): CostLine {
  return { group, name, price, units, dollars: dollarsFor(price, units) };
}

/** What the lines cost together, dollars a month; of some groups only, if they are given. */
export function total(lines: readonly CostLine[], ...groups: readonly CostGroup[]): number {
  const counted = groups.length === 0 ? lines : lines.filter(({ group }) => groups.includes(group));
  return counted.reduce((sum, { dollars }) => sum + dollars, 0);
}

/** Dollars a month as dollars per million webhooks at a rate. */
export function perMillion(dollars: number, webhooksPerSecond: number): number {
  return (dollars / (webhooksPerSecond * monthSeconds)) * 1_000_000;
}
