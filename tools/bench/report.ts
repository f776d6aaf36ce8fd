import { readdirSync, statSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { table } from '../docs/table.ts';
import { type Measured, type Start, webhooksServed } from './measure-starts.ts';
import { names, type Role } from './variants.ts';

/** The heading of the last part of docs/performance.md, which `--write` replaces. */
export const heading = '## Latest full run';

/** Formats the goals and the figures of a run. */
export function report(starts: readonly Measured[], rounds: number): string {
  const [load = 0] = loadavg();
  const { length: cores, 0: core } = cpus();
  return `${heading}

${new Date().toISOString().slice(0, 10)}: ${rounds} processes of each variant, alternating; medians. Node ${process.versions.node}, ${cores} cores of ${core?.model.trim()},
shared with others: ${(load / cores).toFixed(1)} jobs per core. x: relative to the empty function.
Of two ratios, the first is of elapsed time and the second of CPU time. Peak memory: after the first call, and after ${webhooksServed} webhooks.

${goalsTable(starts)}

${startsTable('ingest', starts)}

${startsTable('worker', starts)}
`;
}

function goalsTable(starts: readonly Measured[]): string {
  const ratio = (figure: keyof Start, role: Role, to: string) =>
    figuresOf(role, names.deployed, starts)[figure] / figuresOf(role, to, starts)[figure];
  const goals = [
    ['ingest ready, x', 1.95, ratio('readyMs', 'ingest', names.empty)],
    ['ingest cold total, x', 3, ratio('coldMs', 'ingest', names.empty)],
    ["ingest cold total, floor's", 1.2, ratio('coldMs', 'ingest', names.floor)],
    ['worker ready, x', 2.05, ratio('readyMs', 'worker', names.empty)],
    ["ingest CPU per webhook, floor's", 2.5, ratio('warmCpuUs', 'ingest', names.floor)],
  ] as const;
  const rows = goals.map(([name, max, seen]) => [name, `${max}`, seen.toFixed(2), seen <= max ? 'reached' : 'missed']);
  return table(['goal', 'at most', 'seen', 'result'], rows);
}

function startsTable(role: Role, starts: readonly Measured[]): string {
  const [empty, floor] = [figuresOf(role, names.empty, starts), figuresOf(role, names.floor, starts)];
  const rows = starts
    .filter(({ variant }) => variant.role === role)
    .map((seen) => {
      const ratios = (to: Start, ...figures: readonly (keyof Start)[]) =>
        figures.map((figure) => (seen[figure] / to[figure]).toFixed(2)).join(', ');
      return [
        ...[seen.variant.name, (bytesOf(seen.variant.folder) / 1_000).toFixed(1)],
        ...[ratios(empty, 'readyMs', 'readyCpuMs'), ratios(empty, 'coldMs', 'coldCpuMs'), ratios(floor, 'coldMs')],
        ...[ratios(floor, 'warmCpuUs'), ratios(empty, 'firstPeakKilobytes', 'peakKilobytes')],
      ];
    });
  const floors = ["cold total, floor's", "CPU per webhook, floor's"];
  return table([role, 'KB', 'ready, x', 'cold total, x', ...floors, 'peak memory, x'], rows);
}

function figuresOf(role: Role, name: string, starts: readonly Measured[]): Measured {
  const found = starts.find(({ variant }) => variant.role === role && variant.name === name);
  if (!found) throw new Error(`${name} (${role}) was not measured.`);
  return found;
}

function bytesOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
