import { eventTypes, isEventType } from '../../functions/domain/events.ts';
import { durationMetric } from '../../functions/domain/metric-names.ts';
import { type MetricLine, parseLogLine } from '../console/log-line.ts';
import { escapeControls, escapeLogLine } from '../terminal/escape-controls.ts';
import type { Printable } from '../terminal/printer.ts';

type Columns = {
  readonly timeMs: number;
  readonly service: string;
  readonly outcome: string;
  readonly event?: unknown;
  readonly rest: readonly string[];
};

const eventWidth = Math.max(...eventTypes.map((type) => type.length));

/**
 * Formats a function's log line for people: time (UTC), function, outcome, event, document ids, milliseconds. Other
 * lines stay unchanged after the function's name, except that tabs become blanks. The time is dimmed, errors are red.
 */
export function formatLogLine(functionName: string, line: string): readonly Printable[] {
  const printed = parseLogLine(line);
  if (printed?.kind === 'metrics') return formatColumns(metricColumns(printed));
  const error = readErrorLine(line);
  if (error) return formatColumns(errorColumns(error), 'red');
  return [`${functionName} ${escapeLogLine(line)}`];
}

function formatColumns(
  { timeMs, service, outcome, event = isEventType(service) ? service : '', rest }: Columns,
  style?: 'red',
): readonly Printable[] {
  const time = (new Date(timeMs).toJSON() ?? '').slice('2026-11-24T'.length);
  const name = isEventType(service) ? 'worker' : service;
  const columns = [name.padEnd(6), outcome.padEnd(11), String(event).padEnd(eventWidth), ...rest];
  const text = escapeControls(columns.filter((column) => column.trim() !== '').join('  '));
  return [{ text: time, style: 'dim' }, '  ', style ? { text, style } : text];
}

// Ingest's status replaces its count; the phase of a reconciliation run comes before its counts.
function metricColumns({ timeMs, service, metrics, fields }: MetricLine): Columns {
  const { status, reason, phase, event, userUpload, userUploads } = fields;
  const { [durationMetric]: durationMs, ...counted } = metrics;
  const counts = Object.entries(counted).filter(([, count]) => count !== 0);
  const areAllOne = counts.every(([, count]) => count === 1);
  const summary = counts.map(([name, count]) => (areAllOne ? wordsOf(name) : `${count} ${wordsOf(name)}`)).join(', ');
  return {
    timeMs,
    service,
    outcome: status ? `${status}${reason ? ` (${reason})` : ''}` : joined(': ', phase, summary),
    ...(event !== undefined && { event }),
    rest: [String(userUpload ?? userUploads ?? ''), durationMs === undefined ? '' : `${durationMs} ms`],
  };
}

function errorColumns({ level, message, timestamp, service, userUpload, kind, reason, cause, ...details }: ErrorLine) {
  const why = joined(', ', kind, reason);
  const causes = joined(': ', joined(' ', cause?.name, cause?.code), cause?.message);
  return {
    timeMs: Date.parse(timestamp),
    service,
    outcome: joined(' ', level, message, why && `(${why})`, causes),
    rest: [userUpload ?? '', ...Object.entries(details).map(([name, value]) => `${name}=${value}`)],
  };
}

type ErrorLine = Readonly<Record<'level' | 'message' | 'timestamp' | 'service', string>> &
  Readonly<Partial<Record<'userUpload' | 'kind' | 'reason', string>>> & {
    readonly cause?: Readonly<Partial<Record<'name' | 'code' | 'message', string>>>;
  };

function readErrorLine(line: string): ErrorLine | undefined {
  if (!line.startsWith('{"level":"ERROR"')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    // A process that died in the middle of a line.
    return undefined;
  }
}

function joined(separator: string, ...parts: readonly unknown[]): string {
  return parts.filter(Boolean).join(separator);
}

// `DocumentsNotFetched` becomes `documents not fetched`.
function wordsOf(metric: string): string {
  return metric.replaceAll(/(?!^)[A-Z]/g, ' $&').toLowerCase();
}
