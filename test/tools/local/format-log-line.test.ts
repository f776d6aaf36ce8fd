import { PassThrough } from 'node:stream';
import { WriteStream } from 'node:tty';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { environment } from '../../../functions/aws/environment.ts';
import { createTelemetry, type Telemetry } from '../../../functions/aws/telemetry.ts';
import { formatLogLine } from '../../../tools/local/format-log-line.ts';
import { createPrint } from '../../../tools/terminal/printer.ts';

type Metrics = Parameters<Telemetry['measure']>[0];
type Fields = Parameters<Telemetry['measure']>[1];
type Failure = readonly [code: Parameters<Telemetry['error']>[0], error?: unknown];

const time = '14:03:04.123Z';

// The variables from which Node.js decides whether a terminal has colours. CI servers set some of them.
const colorVariables = 'FORCE_COLOR NO_COLOR NODE_DISABLE_COLORS COLORTERM TERM_PROGRAM TMUX CI TEAMCITY_VERSION'.split(
  ' ',
);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(`2026-11-24T${time}`) });
  for (const name of colorVariables) vi.stubEnv(name, undefined);
  vi.stubEnv('TERM', 'xterm');
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const added = 'user_uploads.added';
const worker = { Applied: 0, Stale: 0, FailedForNow: 0, FailedForGood: 0, DocumentsWritten: 0 };
const refused = Object.assign(new Error('not printed'), { code: 'ECONNREFUSED' });
// The form of an AWS SDK error, whose message is printed.
const accessDenied = Object.assign(new Error('The role may not read it.'), { name: 'AccessDenied', $fault: 'client' });

test.each<[service: string, printed: Metrics | Failure, fields: Fields, formatted: string]>([
  [
    'ingest',
    { Accepted: 1, DurationMs: 4 },
    { deliveryId: 'd', status: 'accepted', event: added, userUpload: 'upload-1' },
    'ingest  accepted     user_uploads.added             upload-1  4 ms',
  ],
  [
    'ingest',
    { Quarantined: 1, DurationMs: 6 },
    { deliveryId: 'd', status: 'quarantined', reason: 'malformed' },
    'ingest  quarantined (malformed)  6 ms',
  ],
  [
    'user_uploads.ocr_authenticity',
    { ...worker, Applied: 1, DocumentsWritten: 1, DurationMs: 7 },
    { records: 1, userUploads: 'upload-1', deliveryIds: 'd' },
    'worker  applied, documents written  user_uploads.ocr_authenticity  upload-1  7 ms',
  ],
  [
    added,
    { ...worker, Applied: 2, FailedForNow: 1, DurationMs: 12 },
    { records: 3, userUploads: 'upload-1 upload-2 upload-3', deliveryIds: 'd e f' },
    'worker  2 applied, 1 failed for now  user_uploads.added             upload-1 upload-2 upload-3  12 ms',
  ],
  [
    'reconciliation',
    { Checked: 200, Missing: 1, Behind: 0, DurationMs: 238 },
    { runId: 'r', phase: 'done', records: 11 },
    'reconciliation  done: 200 checked, 1 missing  238 ms',
  ],
  [
    added,
    ['record_failed', refused],
    { deliveryId: 'd', userUpload: 'upload-1', kind: 'retryable', reason: 'not_stored' },
    'worker  ERROR record_failed (retryable, not_stored) Error ECONNREFUSED  user_uploads.added             upload-1  deliveryId=d',
  ],
  [
    added,
    ['record_failed'],
    { deliveryId: '\u001b[31m', kind: 'permanent', reason: 'unreadable' },
    'worker  ERROR record_failed (permanent, unreadable)  user_uploads.added             deliveryId=\\u001b[31m',
  ],
  [
    'subscription',
    ['subscription_failed', accessDenied],
    { request: 'Create' },
    'subscription  ERROR subscription_failed AccessDenied: The role may not read it.  request=Create',
  ],
])('%s: %j %j is one readable line', (service, given, fields, formatted) => {
  expect(printed(lineOf(service, given, fields))).toBe(`${time}  ${formatted}`);
});

test.each([
  ['a stack trace', '    at handler (index.js:1:2)', '    at handler (index.js:1:2)'],
  ['JSON of another kind', '{"a":1}', '{"a":1}'],
  ['a line that ends early', '{"level":"ERROR","mess', '{"level":"ERROR","mess'],
  ['terminal control sequences', 'a\u001b[2J\u0007\u009bb\tc', 'a\\u001b[2J\\u0007\\u009bb  c'],
  ['text in reverse direction', 'a\u202eb\u2028c', 'a\\u202eb\\u2028c'],
])('%s stays unchanged after the function name, with control characters escaped', (_, line, expected) => {
  expect(printed(line)).toBe(`Function ${expected}`);
});

test('a terminal gets errors in red and times dimmed, unless NO_COLOR is set', () => {
  const { getColorDepth } = WriteStream.prototype;
  const terminal = Object.assign(new PassThrough(), { isTTY: true, getColorDepth });
  const line = lineOf('subscription', ['subscription_failed'], {});

  const text = 'subscription  ERROR subscription_failed';
  expect(printed(line, terminal)).toBe(`\u001b[2m${time}\u001b[22m  \u001b[31m${text}\u001b[39m`);
  vi.stubEnv('NO_COLOR', '1');
  expect(printed(line, terminal)).toBe(`${time}  ${text}`);
});

// What `npm start` prints for a line.
function printed(line: string, stream: NodeJS.WritableStream = new PassThrough()): string {
  let text = '';
  const print = createPrint((part) => {
    text += part;
  }, stream);
  print(...formatLogLine('Function', line));
  return text;
}

// The line that the functions' own telemetry prints.
function lineOf(service: string, printed: Metrics | Failure, fields: Fields): string {
  vi.stubEnv(environment.serviceName, service);
  let text = '';
  const keep = (line: string | Uint8Array) => {
    text += line;
    return true;
  };
  const spies = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockImplementation(keep));
  const { measure, error } = createTelemetry();
  if (Array.isArray(printed)) error(printed[0], printed[1], fields);
  else measure(printed as Metrics, fields);
  for (const spy of spies) spy.mockRestore();
  return text.trimEnd();
}
