import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { WriteStream } from 'node:tty';
import { afterEach, expect, test, vi } from 'vitest';
import { createPrint, type Printable } from '../../../tools/terminal/printer.ts';

const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => String.fromCodePoint(first + index));
const c0 = range(0x00, 0x1f).filter((character) => character !== '\n');
const deleteAndC1 = range(0x7f, 0x9f);
const bidi = ['\u061c', '\u200e', '\u200f', ...range(0x202a, 0x202e), ...range(0x2066, 0x2069)];

afterEach(() => vi.unstubAllEnvs());

test.each([
  ['C0', c0],
  ['DEL and C1', deleteAndC1],
  ['bidirectional', bidi],
  ['line separators', ['\u2028', '\u2029']],
  ['invisible', ['\u00ad', '\u200b', '\ufeff', '\u{e0041}']],
])('escapes every %s character as JSON does', (_, characters) => {
  const text = printed(new PassThrough(), `"${characters.join('')}"`);

  expect(text).toMatch(/^[ -~]+$/);
  expect(JSON.parse(text)).toBe(characters.join(''));
});

test('line breaks and all other characters stay', () => {
  const text = 'Überweisung – 給与明細 🧾\n  “second line” \\u001b';

  expect(printed(new PassThrough(), text)).toBe(text);
});

test('a style is applied to the escaped text, on terminals with colours only', () => {
  vi.stubEnv('NO_COLOR', undefined);
  vi.stubEnv('FORCE_COLOR', undefined);
  vi.stubEnv('TERM', 'xterm');
  vi.stubEnv('CI', undefined);
  const { getColorDepth } = WriteStream.prototype;
  const terminal = Object.assign(new PassThrough(), { isTTY: true, getColorDepth });
  const part = { text: 'a\u001b[0mb', style: 'red' } as const;

  expect(printed(terminal, part)).toBe('\u001b[31ma\\u001b[0mb\u001b[39m');
  expect(printed(new PassThrough(), part)).toBe('a\\u001b[0mb');
});

test('no file of the command line or npm start writes to the terminal in another way', () => {
  const writing = ['cli', 'local', 'console', 'messages', 'conformance', 'terminal'].flatMap((folder) =>
    readdirSync(join('tools', folder), { recursive: true, encoding: 'utf8' })
      .map((name) => join('tools', folder, name))
      .filter((path) => path.endsWith('.ts'))
      .filter((path) => /\bconsole\.\w+\(|\bstd(out|err)\.write\b/.test(readFileSync(path, 'utf8'))),
  );

  expect(writing).toEqual(
    [
      // Both pass the stream to `createPrint`.
      'tools/cli/report.ts',
      // The output of a function's process becomes log lines.
      'tools/local/lambda-child.ts',
      'tools/local/start.ts',
    ].toSorted(),
  );
});

function printed(stream: NodeJS.WritableStream, ...parts: readonly Printable[]): string {
  let text = '';
  createPrint((part) => {
    text += part;
  }, stream)(...parts);
  return text;
}
