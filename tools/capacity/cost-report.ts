import type { Cost } from './cost.ts';
import {
  alternativesTable,
  assumptionsTable,
  goalsTable,
  linesTable,
  sourcesTable,
  whatIfTable,
} from './cost-tables.ts';
import { storageOf } from './storage.ts';
import { textTable } from './text-table.ts';

/** What the three floors are, for whoever reads the goals. */
export const floorsExplained = `The goals are for 100 webhooks a second. The first floor is not reachable: no worker reads a queue without receiving, deleting and
running. The second one is what every solution of this shape pays, at the same batch fill and durations. The third one also has the
indexes that the stack promises.`;

/** The bill of a month at a steady rate as text: lines, goals with shortfalls, alternatives, assumptions, sources. */
export function costReport(cost: Cost): string {
  const { load, measured, facts } = cost;
  const { gigabytes, dollarsAMonth } = storageOf(cost);
  const parts = [
    `${facts.template.stackName} at ${load.webhooksPerSecond} webhooks a second, list prices of us-east-1, no free tier
Simulated: ${load.batchFill.toFixed(2)} records a batch, ${load.pollers} pollers an event, ${load.ingestConcurrency.toFixed(2)} executions of ingest and ${load.workerConcurrency.toFixed(2)} of the workers at once.
Measured: ${Math.round(measured.ingestBytes)} bytes printed by ingest, ${Math.round(measured.workerBytes.first)} by a worker and ${Math.round(measured.workerBytes.further)} for each further record, ${measured.recordBytes} bytes stored at most.`,
    textTable(...linesTable(cost)),
    textTable(...goalsTable(cost)),
    floorsExplained,
    textTable(...whatIfTable(cost)),
    textTable(...alternativesTable(cost)),
    `A million webhooks leave ${gigabytes.toFixed(2)} GB in the table: ${dollarsAMonth.toFixed(3)} dollars each month that they are kept.`,
    'Replace an assumption with --assume NAME=VALUE.',
    textTable(...assumptionsTable(cost)),
    textTable(...sourcesTable(cost)),
  ];
  return `${parts.join('\n\n')}\n`;
}
