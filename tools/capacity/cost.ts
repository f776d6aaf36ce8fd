import type { Assumptions } from './assumptions.ts';
import { refuseUnpriced } from './billable-types.ts';
import { type CostLine, perMillion, total } from './cost-line.ts';
import { loadAt } from './load.ts';
import { logCost, watchingCost } from './log-cost.ts';
import type { Measured } from './measure.ts';
import { otherLines } from './other-lines.ts';
import { type Priced, requestLines } from './request-lines.ts';
import type { StackFacts } from './stack-facts.ts';

/** A month at a steady rate: its bill line by line, and the goals. */
export type Cost = Priced & { readonly lines: readonly CostLine[]; readonly goals: readonly Goal[] };

/** How many times a floor the cost is, and may be at 100 webhooks a second. Dollars are per million webhooks. */
export type Goal = {
  readonly what: string;
  readonly dollars: number;
  readonly atMost: number;
  readonly floors: readonly { readonly name: string; readonly dollars: number; readonly times: number }[];
};

/** Prices the stack at a rate. Throws a sentence when the template has something that nobody knows how to price. */
export function costAt(webhooksPerSecond: number, facts: StackFacts, measured: Measured, assumed: Assumptions): Cost {
  refuseUnpriced(facts.template);
  const priced = { facts, assumed, measured, load: loadAt(webhooksPerSecond, facts, assumed) };
  const lines = [...requestLines(priced), ...otherLines(priced), ...logCost(priced), ...watchingCost(priced)];
  return { ...priced, lines, goals: goalsOf(lines, webhooksPerSecond) };
}

/** Dollars per million webhooks of a cost, of all lines or of some groups. */
export function dollarsPerMillion({ lines, load }: Cost, ...groups: Parameters<typeof total>[1][]): number {
  return perMillion(total(lines, ...groups), load.webhooksPerSecond);
}

function goalsOf(lines: readonly CostLine[], webhooksPerSecond: number): readonly Goal[] {
  const dollars = (...groups: Parameters<typeof total>[1][]) => perMillion(total(lines, ...groups), webhooksPerSecond);
  const floors = [
    ['API request, Lambda request, send, write alone', dollars('floor')],
    ['of the shape: and receive, delete, worker, time of both, answer', dollars('floor', 'batch')],
    ['of the contract: and its two indexes', dollars('floor', 'batch', 'index')],
  ] as const;
  const goal = (what: string, atMost: number, spent: number): Goal => ({
    what,
    dollars: spent,
    atMost,
    floors: floors.map(([name, floor]) => ({ name, dollars: floor, times: spent / floor })),
  });
  return [
    goal('logs, metrics, alarms and dashboard off', 1.02, dollars('floor', 'batch', 'index', 'rest')),
    goal('as deployed', 1.1, dollars()),
  ];
}
