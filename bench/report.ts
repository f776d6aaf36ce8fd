import { cpus } from 'node:os';
import { figuresOf, type Goal, goalsOf, isReached, type Results } from './goals.ts';
import type { Measured } from './measure-starts.ts';
import { sizesOf } from './sizes.ts';
import { type Start, webhooksServed } from './start-once.ts';
import { names, type Role } from './variants.ts';

/** The page docs/performance.md. `load`: how busy the machine was, jobs waiting per core. */
export function performancePage(results: Results, rounds: number, loadPerCore: number): string {
  const { ownLogic, pipeline, starts } = results;
  return `# Performance

Written by \`npm run bench\`. Only ratios and counts mean something: x = against the empty function, side by side in the same run, ${rounds} fresh
processes for each variant in turns, medians. Node ${process.versions.node}, ${cpus().length} cores of ${cpus()[0]?.model.trim()}, shared with others: a load of
${loadPerCore.toFixed(1)} jobs per core during the run. CPU figures suffer less from that than times.

## Goals

${table(['what', 'goal', 'seen', ''], goalsOf(results).map(goalRow))}

## Starting and serving

Every start is a fresh process of Node that loads the bundle (ready), then makes its first call (cold total), over TLS, to a stand-in for AWS on
the loopback address. Two ratios in a cell are of time and of CPU time; of peak memory, after the first call and after all: each serves ${webhooksServed}
webhooks more, a worker in batches of ten, the first quarter of them to warm up.

${startsTable('ingest', starts)}

${startsTable('worker', starts)}

*${names.floor}*: \`bench/floor/\`. *${names.bestPractice}*: \`bench/best-practice/\`, Powertools' logger, metrics, parser, parameters, idempotency and
batch with middy and zod. *${names.defaults}*: the AWS SDK is not in the bundle; it comes from a folder of packages, as on Lambda.

## What each thing buys

Each as it is deployed, and differing from that in one thing: in brackets by how much that is slower, in x.

${waysTable(results, 'ingest')}

${waysTable(results, 'worker')}

Left, because it would be ugly:

- V8's code cache has to be made by the very V8 that reads it, on Lambda's processor: at each update of the run-time it would be refused.
- The connection to SQS is not opened while ingest is loaded: the SDK has no call for that, and a request that needs no right would be an unsigned one.
- Workers without credentials for Argyle carry what asks Argyle, 22 KB: without it there would be two bundles of one source.

## Own logic

With fakes where AWS would be asked: ${ownLogic.ingestUs.toFixed(1)} µs for a webhook in ingest, ${ownLogic.workerUs.toFixed(1)} µs for a message in a worker. A line of
telemetry costs ${ownLogic.telemetryUs.toFixed(1)} µs more.

## Local pipeline

\`npm start\` as it is, ${pipeline.deliveries} signed webhooks of 100 documents over 16 connections: ${pipeline.answeredPerSecond.toFixed(0)}/s answered,
${pipeline.appliedPerSecond.toFixed(0)}/s until the last record was right; ${pipeline.refused} refused, ${pipeline.wrongRecords} records wrong.

${cpuTable(results)}

CPU limits it: ${cpus().length} cores give ${cpus().length * 1_000} ms a second, ${cpuPerWebhookMs(results).toFixed(1)} ms go into a webhook, so ${((cpus().length * 1_000) / cpuPerWebhookMs(results)).toFixed(0)}/s is
the most that this machine could do without its other work. The engines' share is ${shareOfEngines(results).toFixed(0)} %; most is the functions' own: for each webhook
two calls through the AWS SDK and one to Argyle.
`;
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

function startsTable(role: Role, starts: readonly Measured[]): string {
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

function waysTable({ starts, ways }: Results, role: Role): string {
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

function cpuTable({ pipeline: { cpu, deliveries } }: Results): string {
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

function cpuPerWebhookMs({ pipeline: { cpu, deliveries } }: Results): number {
  return (cpu.reduce((sum, { seconds }) => sum + seconds, 0) * 1_000) / deliveries;
}

function shareOfEngines(results: Results): number {
  const engines = results.pipeline.cpu.filter(({ part }) => part.startsWith('engine'));
  const seconds = engines.reduce((sum, engine) => sum + engine.seconds, 0);
  return (100 * seconds * 1_000) / (cpuPerWebhookMs(results) * results.pipeline.deliveries);
}

function kilobytes(bytes: number): string {
  return (bytes / 1_000).toFixed(1);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
