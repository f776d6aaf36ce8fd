import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { suite } from '../../../tools/conformance/suite.ts';
import { reference } from './reference.ts';
import { serve } from './serve.ts';

let served: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  served = await serve(reference);
});
afterAll(() => served.stop());

test('npm run conformance prints one line per check, says what it could not see, and ends with 0', async () => {
  const { code, lines } = await run(['--url', served.url.href], { WEBHOOK_SECRET: served.secret });

  const unseen = suite.filter(({ needs }) => needs.length > 0);
  expect(code).toBe(0);
  expect(lines).toHaveLength(suite.length + 1);
  expect(lines.filter((line) => line.startsWith('not observable here: '))).toHaveLength(unseen.length);
  expect(lines).toContain('passed: refuses a tampered body');
  expect(lines).toContain('not observable here: changes nothing by a repeat (needs readRecord)');
  expect(lines.at(-1)).toBe(`${suite.length - unseen.length} passed, 0 failed, ${unseen.length} not observable here`);
});

test('a failed check ends it with 1, and --json says what was seen', async () => {
  const { code, lines } = await run(['--url', served.url.href, '--secret', 'another', '--json']);

  const report = JSON.parse(lines.join('\n'));
  expect(code).toBe(1);
  expect(report.passed + report.failed + report.notObservable).toBe(suite.length);
  expect(report.checks).toHaveLength(suite.length);
  expect(report.checks).toContainEqual({
    name: 'accepts a digest in upper case',
    outcome: 'failed',
    detail: 'upper case: answered 401 bad_signature, expected 200 accepted',
    milliseconds: expect.any(Number),
  });
});

test.each([
  { words: ['--secret', 's'], says: 'Say where the receiver is: --url https://...' },
  { words: ['--url', 'ftp://x', '--secret', 's'], says: '--url ftp://x is not allowed: use an http or https URL.' },
  { words: ['--url', 'http://x'], says: 'Say what the deliveries are signed with: --secret, or WEBHOOK_SECRET.' },
])('$words is refused with a sentence and the usage', async ({ words, says }) => {
  const { code, said } = await run(words);

  expect(code).toBe(2);
  expect(said).toMatch(/^usage: npm run conformance/m);
  expect(said.split('\n')[0]).toBe(says);
});

test('a receiver that is not there is named, and nothing is called failed', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  // The local port of a client connection: no program can listen on it.
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(client, 'connect');
  const url = `http://127.0.0.1:${client.localPort}/webhooks`;

  const { code, said, lines } = await run(['--url', url, '--secret', 's']);
  client.destroy();
  server.close();

  expect(code).toBe(2);
  expect(said.split('\n')[0]).toBe(`${url} does not answer: ECONNREFUSED`);
  expect(lines).toEqual([]);
});

test('--help says what the run leaves behind, and how to tell it', async () => {
  const { code, lines } = await run(['--help']);

  expect(code).toBe(0);
  expect(lines.join('\n')).toContain('they stay as records and in the quarantine');
  expect(lines.join('\n')).toContain('c0ffee00');
});

async function run(words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { WEBHOOK_SECRET: _, ...inherited } = process.env;
  const child = spawn(process.execPath, ['tools/conformance/run.ts', ...words], {
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, said, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, said, lines: output.split('\n').filter((line) => line !== '') };
}
