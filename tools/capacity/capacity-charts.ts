import type { Capacity, RateCapacity } from './capacity.ts';
import { type Axis, colors, lineChart, type Series } from './chart.ts';
import { type Cost, costAt } from './cost.ts';
import type { CostGroup } from './cost-line.ts';
import { perMillion, total } from './cost-line.ts';
import { loadAt } from './load.ts';
import type { StackFacts } from './stack-facts.ts';

const chartedRates = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000] as const;
const [blue, orange, green, purple] = colors;

/** The charts of docs/capacity.md, by the name of their file. */
export function capacityCharts(capacity: Capacity): Readonly<Record<string, string>> {
  return {
    'capacity-cost.svg': costChart(capacity),
    'capacity-batches.svg': batchChart(capacity),
    'capacity-outage.svg': outageChart(capacity),
  };
}

const rateAxis: Axis = {
  title: 'webhooks a second',
  isLogarithmic: true,
  ticks: [0.01, 0.1, 1, 10, 100, 1_000, 10_000].map((value) => [value, value.toLocaleString('en-US')]),
};

function costChart({ facts, assumed, rates }: Capacity): string {
  const [first] = rates;
  if (!first) return '';
  const costs = chartedRates.map((rate) => costAt(rate, facts, first.cost.measured, assumed));
  const line = (name: string, color: string, dash: string, ...groups: readonly CostGroup[]): Series => ({
    ...{ name, color, dash },
    points: costs.map((cost) => [cost.load.webhooksPerSecond, dollars(cost, groups)]),
  });
  return lineChart(
    'What a million webhooks cost',
    rateAxis,
    {
      title: 'dollars per million, list prices',
      isLogarithmic: true,
      ticks: [1, 3, 10, 30, 100, 300, 1_000].map((value) => [value, value.toLocaleString('en-US')]),
    },
    [
      line('as deployed', blue, ''),
      line('logs and alarms off', orange, '', 'floor', 'batch', 'index', 'rest'),
      line('floor of the shape', green, '6 4', 'floor', 'batch'),
    ],
  );
}

function dollars({ lines, load }: Cost, groups: readonly CostGroup[]): number {
  return perMillion(total(lines, ...groups), load.webhooksPerSecond);
}

function batchChart({ facts, assumed }: Capacity): string {
  const fill = (windowMs: number): Series['points'] => {
    const windowed: StackFacts = {
      ...facts,
      eventSources: facts.eventSources.map((source) => ({ ...source, windowMs })),
    };
    return chartedRates.map((rate) => [rate, loadAt(rate, windowed, assumed).batchFill]);
  };
  return lineChart(
    'How full a batch is',
    rateAxis,
    { title: 'records in a batch, on average', ticks: [0, 2, 4, 6, 8, 10].map((value) => [value, String(value)]) },
    [
      { name: 'as deployed', color: blue, points: fill(facts.eventSources[0]?.windowMs ?? 0) },
      { name: 'batching window of 1 s', color: orange, dash: '6 4', points: fill(1_000) },
      { name: 'batching window of 5 s', color: green, dash: '2 4', points: fill(5_000) },
    ],
  );
}

function outageChart({ rates }: Capacity): string {
  const series = rates.map(
    ({ webhooksPerSecond, refusing }: RateCapacity, index): Series => ({
      name: `${webhooksPerSecond.toLocaleString('en-US')} a second`,
      color: [blue, orange, green, purple][index] ?? blue,
      dash: ['', '7 4', '', '2 4'][index] ?? '',
      // In hours of traffic, so that all rates fit into one chart.
      points: refusing.samples
        .filter(({ timeMs }) => timeMs <= 7_200_000)
        .map(({ timeMs, visible, inFlight }) => [
          timeMs / 60_000,
          ((visible + inFlight) / (refusing.arrived / 2)) * 100,
        ]),
    }),
  );
  return lineChart(
    'An hour in which DynamoDB refuses, and the hour after it',
    {
      title: 'minutes since the outage began; it ends at 60',
      ticks: [0, 15, 30, 45, 60, 75, 90, 105, 120].map((value) => [value, String(value)]),
    },
    {
      title: 'not yet applied, in percent of an hour of webhooks',
      ticks: [0, 25, 50, 75, 100].map((value) => [value, `${value} %`]),
    },
    series,
  );
}
