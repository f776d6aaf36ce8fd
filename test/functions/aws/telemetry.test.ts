import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createTelemetry } from '../../../functions/aws/telemetry.ts';
import { LoggableError } from '../../../functions/domain/loggable-error.ts';

// Alarms, saved queries and the runbook rely on these keys. function-environment.ts sets namespace and service to 'unused'.
const nowMs = Date.parse('2026-11-24T10:00:00.123Z');
let printed: { readonly stdout: string[]; readonly stderr: string[] };
beforeEach(() => {
  printed = { stdout: [], stderr: [] };
  vi.useFakeTimers({ now: nowMs });
  for (const name of ['stdout', 'stderr'] as const)
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => printed[name].push(String(chunk)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it('prints a measure line of JSON in the embedded metric format to stdout', () => {
  createTelemetry().measure({ Accepted: 1, DurationMs: 12 }, { deliveryId: 'id', records: 3 });
  const line =
    '{"_aws":{"Timestamp":1795514400123,"CloudWatchMetrics":[{"Namespace":"unused","Dimensions":[["service"]],' +
    '"Metrics":[{"Name":"Accepted","Unit":"Count"},{"Name":"DurationMs","Unit":"Milliseconds"}]}]},' +
    '"deliveryId":"id","records":"3","service":"unused","Accepted":1,"DurationMs":12}\n';
  expect(printed).toEqual({ stdout: [line], stderr: [] });
});

it('prints an error line of JSON to stderr', () => {
  createTelemetry().error('record_failed', undefined, { messageId: 'id', records: 3 });
  const line =
    '{"level":"ERROR","message":"record_failed","timestamp":"2026-11-24T10:00:00.123Z","service":"unused",' +
    '"messageId":"id","records":3}\n';
  expect(printed).toEqual({ stdout: [], stderr: [line] });
});

it.each([
  {
    error: Object.assign(new TypeError('body'), { code: 'ECONNRESET' }),
    cause: { name: 'TypeError', code: 'ECONNRESET' },
  },
  { error: Object.assign(new Error('text'), { $fault: 'client' }), cause: { name: 'Error', message: 'text' } },
  { error: new LoggableError('text'), cause: { name: 'LoggableError', message: 'text' } },
  {
    error: new LoggableError('text', { code: 'http_429', cause: new Error('body') }),
    cause: { name: 'LoggableError', code: 'http_429', message: 'text' },
  },
  { error: Object.assign(new Error('body'), { code: 7 }), cause: { name: 'Error' } },
  { error: 'body', cause: { name: 'string' } },
  // Errors of the language quote their input: JSON.parse, for example, quotes the text that it could not parse.
  ...[SyntaxError, RangeError, ReferenceError, EvalError, URIError].map((LanguageError) => ({
    error: new LanguageError('body'),
    cause: { name: LanguageError.name },
  })),
  { error: new AggregateError([new Error('body')], 'body'), cause: { name: 'AggregateError' } },
  { error: new DOMException('body', 'DataError'), cause: { name: 'DataError' } },
])('prints the message of an error only if the error is loggable: $cause', ({ error, cause }) => {
  createTelemetry().error('record_failed', error, {});
  expect(JSON.parse(printed.stderr.join('')).cause).toEqual(cause);
  expect(printed.stderr.join('')).not.toContain('body');
});
