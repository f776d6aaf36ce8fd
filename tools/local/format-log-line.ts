import { styleText } from 'node:util';
import { eventTypes, isEventType } from '../../functions/domain/events.ts';
import { durationMetric } from '../../functions/domain/metric-names.ts';
import { type MetricLine, parseLogLine } from '../console/log-line.ts';

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
 * lines stay unchanged after the function's name. Control characters are escaped.
 * @param stream where the line is printed: there is colour if it is a terminal and NO_COLOR is not set
 */
export function formatLogLine(
  functionName: string,
  line: string,
  stream: NodeJS.WritableStream = process.stderr,
): string {
  const printed = parseLogLine(line);
  if (printed?.kind === 'metrics') return formatColumns(metricColumns(printed), [], stream);
  const error = readErrorLine(line);
  if (error) return formatColumns(errorColumns(error), 'red', stream);
  return escapeControls(`${functionName} ${line}`);
}

/** Escapes control and formatting characters as JSON does, so that a terminal cannot interpret them. Tabs stay. */
export function escapeControls(text: string): string {
  const escapeUnit = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return text.replaceAll(/(?!\t)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character.split('').map(escapeUnit).join(''),
  );
}

function formatColumns(
  { timeMs, service, outcome, event = isEventType(service) ? service : '', rest }: Columns,
  style: Parameters<typeof styleText>[0],
  stream: NodeJS.WritableStream,
): string {
  const time = (new Date(timeMs).toJSON() ?? '').slice('2026-11-24T'.length);
  const name = isEventType(service) ? 'worker' : service;
  const columns = [name.padEnd(6), outcome.padEnd(11), String(event).padEnd(eventWidth), ...rest];
  const text = columns.filter((column) => column.trim() !== '').join('  ');
  return `${styleText('dim', time, { stream })}  ${styleText(style, escapeControls(text), { stream })}`;
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
