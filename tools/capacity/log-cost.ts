import { type CostLine, costLine, monthSeconds } from './cost-line.ts';
import { accessLogLine, type LogLines, platformLinesOf, workerLine } from './log-lines.ts';
import type { Priced } from './request-lines.ts';

const gigabyte = 1_024 ** 3;

/** What is printed: by the functions, by Lambda of each invocation, by the gateway of each request. Stored for a month. */
export function logCost({ facts, assumed, measured, load }: Priced): readonly CostLine[] {
  const webhooks = load.webhooksPerSecond * monthSeconds;
  const batches = webhooks / load.batchFill;
  const gigabytes = ({ bytes, lines }: LogLines, times: number) =>
    (times * (bytes + lines * assumed.logLineBytes)) / gigabyte;
  const printed = [
    ['the line of ingest', gigabytes({ bytes: measured.ingestBytes, lines: 1 }, webhooks)],
    ['the lines of the workers', gigabytes(workerLine(measured, load.batchFill), batches)],
    ['START, END, REPORT of ingest', gigabytes(platformLinesOf(facts.ingest), webhooks)],
    ['START, END, REPORT of the workers', gigabytes(platformLinesOf(facts.worker), batches)],
    ['the access log of the API', gigabytes(accessLogLine(facts.stage.accessLogFormat), webhooks)],
  ] as const;
  const stored = printed.reduce((sum, [, size]) => sum + size, 0) * assumed.logCompression;
  return [
    ...printed.map(([name, size]) => costLine('logs', `Logs: ${name}`, 'logsIngested', size)),
    costLine('logs', 'Logs: stored for a month', 'logsStored', stored),
    ...(facts.ingest.isTraced || facts.worker.isTraced
      ? [costLine('logs', 'X-Ray: traces', 'trace', webhooks * assumed.tracedShare)]
      : []),
  ].filter(({ units }) => units > 0);
}

/** What watches: metrics that the functions print and that filters make, the metrics of alarms, dashboards. By the month. */
export function watchingCost({ facts: { template }, measured }: Priced): readonly CostLine[] {
  const filters = template.ofType('AWS::Logs::MetricFilter').length;
  const alarmMetrics = template
    .ofType('AWS::CloudWatch::Alarm')
    .map(({ properties }) => metricsOf(properties.Metrics))
    .reduce((sum, count) => sum + count, 0);
  const composite = template.ofType('AWS::CloudWatch::CompositeAlarm').length;
  const dashboards = template.ofType('AWS::CloudWatch::Dashboard').length;
  return [
    costLine(
      'watching',
      'CloudWatch: metrics, by name and dimensions',
      'customMetric',
      measured.metrics.length + filters,
    ),
    costLine('watching', 'CloudWatch: metrics of alarms', 'alarmMetric', alarmMetrics + composite * 5),
    costLine('watching', 'CloudWatch: dashboards', 'dashboard', dashboards),
  ].filter(({ units }) => units > 0);
}

// An alarm on an expression is billed for each metric of it.
function metricsOf(metrics: readonly { readonly MetricStat?: object }[] | undefined): number {
  return metrics ? metrics.filter(({ MetricStat }) => MetricStat).length : 1;
}
