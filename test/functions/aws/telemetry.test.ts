import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTelemetry } from '../../../functions/aws/telemetry.ts';
import { LoggableError } from '../../../functions/domain/loggable-error.ts';

// Alarms, saved queries and the runbook rely on these keys; in function-environment.ts both names are 'unused'.
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

describe('the measure line', () => {
  it('is one line of JSON in the embedded metric format, on stdout', () => {
    createTelemetry().measure({ Accepted: 1, DurationMs: 12 }, { deliveryId: 'id', records: 3 });
    const line =
      '{"_aws":{"Timestamp":1795514400123,"CloudWatchMetrics":[{"Namespace":"unused","Dimensions":[["service"]],' +
      '"Metrics":[{"Name":"Accepted","Unit":"Count"},{"Name":"DurationMs","Unit":"Milliseconds"}]}]},' +
      '"deliveryId":"id","records":"3","service":"unused","Accepted":1,"DurationMs":12}\n';
    expect(printed).toEqual({ stdout: [line], stderr: [] });
  });
});

describe('the error line', () => {
  const line = () => JSON.parse(printed.stderr.join(''));
  const known = { level: 'ERROR', message: 'record_failed', timestamp: '2026-11-24T10:00:00.123Z', service: 'unused' };

  it('is one line of JSON on stderr', () => {
    createTelemetry().error('record_failed', undefined, { messageId: 'id', records: 3 });
    expect(printed.stdout).toEqual([]);
    expect(printed.stderr.join('')).toMatch(/^\{[^\n]+\}\n$/);
    expect(line()).toEqual({ ...known, messageId: 'id', records: 3 });
  });

  it.each([
    {
      error: Object.assign(new TypeError('body'), { code: 'ECONNRESET' }),
      cause: { name: 'TypeError', code: 'ECONNRESET' },
    },
    { error: Object.assign(new Error('told'), { $fault: 'client' }), cause: { name: 'Error', message: 'told' } },
    { error: new LoggableError('told'), cause: { name: 'LoggableError', message: 'told' } },
    {
      error: new LoggableError('told', { code: 'http_429' }),
      cause: { name: 'LoggableError', code: 'http_429', message: 'told' },
    },
    { error: Object.assign(new Error('body'), { code: 7 }), cause: { name: 'Error' } },
    { error: 'body', cause: { name: 'string' } },
  ])('says of an error what cannot hold data: $cause', ({ error, cause }) => {
    createTelemetry().error('record_failed', error, {});
    expect(line()).toEqual({ ...known, cause });
  });
});
