import { figuresOf, type Goal, isReached, type Results } from './goals.ts';
import type { Measured } from './measure-starts.ts';
import { sizesOf } from './sizes.ts';
import type { Start } from './start-once.ts';
import { names, type Role } from './variants.ts';

/** Each goal beside what was seen. */
export function goalsTable(goals: readonly Goal[]): string {
  return table(['what', 'goal', 'seen', ''], goals.map(goalRow));
}

function goalRow(goal: Goal): readonly string[] {
  const { text, limit, atLeast, seen, unit } = goal;
  const shown = seen >= 100 ? seen.toFixed(0) : seen.toFixed(2);
  return [
    text,
    `${atLeast ? '≥' : '≤'} ${limit}${unit}`,
    `${shown}${unit}`,
    isReached(goal) ? 'reached' : '**missed**',
  ];
}

/** The variants of a role, against the empty function and the floor. */
export function startsTable(role: Role, starts: readonly Measured[]): string {
  const empty = figuresOf(starts, role, names.empty);
  const floor = figuresOf(starts, role, names.floor);
  const rows = starts
    .filter(({ variant }) => variant.role === role)
    .map((seen) => {
      const { bytes, zippedBytes } = sizesOf(seen.variant.folder);
      const times = (a: 'readyMs' | 'coldMs', b: 'readyCpuMs' | 'coldCpuMs') =>
        `${(seen[a] / empty[a]).toFixed(2)}, ${(seen[b] / empty[b]).toFixed(2)}`;
      return [
        seen.variant.name,
        kilobytes(bytes),
        kilobytes(zippedBytes),
        times('readyMs', 'readyCpuMs'),
        times('coldMs', 'coldCpuMs'),
        (seen.coldMs / floor.coldMs).toFixed(2),
        (seen.warmCpuUs / floor.warmCpuUs).toFixed(2),
        `${(seen.firstPeakMegabytes / empty.firstPeakMegabytes).toFixed(2)}, ${(seen.peakMegabytes / empty.peakMegabytes).toFixed(2)}`,
      ];
    });
  const figures = ['KB', 'KB zipped', 'ready, x', 'cold total, x', "cold total, floor's", "CPU per webhook, floor's"];
  return table([role, ...figures, 'peak memory, x'], rows);
}

/** A role as it is deployed, and differing from that in one thing. */
export function waysTable({ starts, ways }: Results, role: Role): string {
  const empty = figuresOf(starts, role, names.empty);
  const own = ways.filter(({ variant }) => variant.role === role);
  const [deployed] = own;
  const cell = (seen: Measured, figure: keyof Start) => {
    const ratio = seen[figure] / empty[figure];
    const more = ratio - (deployed?.[figure] ?? 0) / empty[figure];
    return seen === deployed
      ? ratio.toFixed(2)
      : `${ratio.toFixed(2)} (${more < 0 ? '−' : '+'}${Math.abs(more).toFixed(2)})`;
  };
  const figures = ['readyMs', 'readyCpuMs', 'coldMs', 'coldCpuMs'] as const;
  const rows = own.map((seen) => [
    seen.variant.name,
    kilobytes(sizesOf(seen.variant.folder).bytes),
    ...figures.map((figure) => cell(seen, figure)),
    seen.variant.servesOn ? (seen.warmCpuUs / (deployed?.warmCpuUs ?? 0)).toFixed(2) : '',
  ]);
  const headings = ['KB', 'ready, x', 'of CPU, x', 'cold total, x', 'of CPU, x', "CPU per webhook, deployed's"];
  return table([role, ...headings], rows);
}

/** What each part of the local pipeline took for a webhook. */
export function cpuTable({ pipeline: { cpu, deliveries } }: Results): string {
  const total = cpu.reduce((sum, { seconds }) => sum + seconds, 0);
  const rows = cpu
    .filter(({ seconds }) => seconds > 0)
    .map(({ part, seconds }) => [
      part,
      ((seconds * 1_000) / deliveries).toFixed(2),
      `${((100 * seconds) / total).toFixed(0)} %`,
    ]);
  return table(['part', 'CPU per webhook, ms', 'share'], rows);
}

function kilobytes(bytes: number): string {
  return (bytes / 1_000).toFixed(1);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
