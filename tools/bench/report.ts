import { cpus } from 'node:os';
import { goalsOf, type Results } from './goals.ts';
import { cpuTable, goalsTable, startsTable, waysTable } from './report-tables.ts';
import { webhooksServed } from './start-once.ts';
import { names } from './variants.ts';

/** The page docs/performance.md. `load`: how busy the machine was, jobs waiting per core. */
export function performancePage(results: Results, rounds: number, loadPerCore: number): string {
  const { ownLogic, pipeline, starts } = results;
  return `# Performance

Written by \`npm run bench\`. Only ratios and counts mean something: x = against the empty function, side by side in the same run, ${rounds} fresh
processes for each variant in turns, medians. Node ${process.versions.node}, ${cpus().length} cores of ${cpus()[0]?.model.trim()}, shared with others: a load of
${loadPerCore.toFixed(1)} jobs per core during the run. CPU figures suffer less from that than times.

## Goals

${goalsTable(goalsOf(results))}

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

function cpuPerWebhookMs({ pipeline: { cpu, deliveries } }: Results): number {
  return (cpu.reduce((sum, { seconds }) => sum + seconds, 0) * 1_000) / deliveries;
}

function shareOfEngines(results: Results): number {
  const engines = results.pipeline.cpu.filter(({ part }) => part.startsWith('engine'));
  const seconds = engines.reduce((sum, engine) => sum + engine.seconds, 0);
  return (100 * seconds * 1_000) / (cpuPerWebhookMs(results) * results.pipeline.deliveries);
}
