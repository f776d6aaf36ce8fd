import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolve } from '../../tools/local/template.ts';
import { readStack, stages } from '../support/synthesized-stack.ts';
import { run } from '../tools/cli/run.ts';

// Arguments are visible in the list of processes, and typed commands stay in the history of the shell.
const forbidden: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['a secret as an argument or in a file', /--secret-(string|binary)[ =](?!file:\/\/\/dev\/stdin\b)/],
  ['an option for a secret', /--(secret|password|token|api-key-secret)[ =]\S/],
  ['the user and password of curl', /\bcurl\b[^|\n]*\s(-u|--user)\b/],
  ['a header with a credential', /(-H|--header)\s*['"]?(authorization|x-argyle-signature)\b/i],
  ['a typed variable', /\b\w*(SECRET|PASSWORD|TOKEN|API_KEY)\w*=(?!"?\$\()\S/],
  ['credentials in a URL', /https?:\/\/[^\s/@`]+:[^\s/@`]+@/],
];

const files = [
  ...readdirSync('.').filter((name) => name.endsWith('.md')),
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

test.each(files)('%s passes no secret to a command as an argument', (file) => {
  expect(breachesIn(readFileSync(file, 'utf8'))).toEqual([]);
});

test.each(stages)('the outputs of %s pass no secret to a command as an argument', (stage) => {
  expect(breachesIn(JSON.stringify(readStack(stage).outputs))).toEqual([]);
});

test.each(['', 'send', 'check', 'rotate', 'reconcile', 'dead', 'quarantine'])(
  'no option of the command `%s` is a secret',
  async (command) => {
    const { out } = await run(`${command} --help`.trim());

    expect(out).toContain('Usage:');
    expect(out).not.toMatch(/--\S*(secret|password|token|key)/i);
  },
);

test.each([
  'aws secretsmanager put-secret-value --secret-id ARN --secret-string abc',
  'aws secretsmanager put-secret-value --secret-id ARN --secret-string "$SECRET"',
  'aws secretsmanager put-secret-value --secret-id ARN --secret-string file://key.json',
  'curl https://api.argyle.com/v2/webhooks -u "$ID:$SECRET"',
  'curl -H "Authorization: Basic abc" https://api.argyle.com/v2/webhooks',
  'npm run send -- user_uploads.added --secret abc',
  'WEBHOOK_SECRET=… npm start',
  'curl https://id:secret@api.argyle.com/v2/webhooks',
])('a breach is found: %s', (command) => {
  expect(breachesIn(command)).not.toEqual([]);
});

let folder: string;
beforeAll(() => {
  // Stands in for curl: prints its arguments and its standard input.
  folder = mkdtempSync(join(tmpdir(), 'subscribe-by-hand-'));
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/curl'), '#!/bin/sh\nprintf "%s\\n" "$@" "--- standard input ---"; cat\n');
  chmodSync(join(folder, 'bin/curl'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('SubscribeByHand gives the key and the secret to curl through its standard input', () => {
  const { outputs } = readStack('sandbox');
  const api = Object.keys(readStack('sandbox').template.findResources('AWS::ApiGatewayV2::Api'))[0] ?? '';
  const identity = { ref: api, attributes: { ApiEndpoint: 'https://example.execute-api.us-east-1.amazonaws.com' } };
  const command = resolve(outputs.SubscribeByHand.Value, new Map([[api, identity]]));
  const env = {
    PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter),
    ...{ ARGYLE_API_KEY_ID: 'the-id', ARGYLE_API_KEY_SECRET: 'the-key-secret', WEBHOOK_SECRET: 'the-webhook-secret' },
  };
  const printed = execFileSync('sh', ['-c', command], { env, encoding: 'utf8' });
  const [words = '', input = ''] = printed.split('--- standard input ---\n');
  const [, data = ''] = /^data = (.*)$/m.exec(input) ?? [];

  expect(words).not.toMatch(/the-/);
  expect(words.split('\n')).toEqual(expect.arrayContaining(['-K', '-', 'https://api-sandbox.argyle.com/v2/webhooks']));
  expect(input).toContain('user = "the-id:the-key-secret"\n');
  // Curl reads a value without quotation marks up to the first blank.
  expect(data).not.toMatch(/\s/);
  expect(JSON.parse(data)).toEqual({
    events: expect.arrayContaining(['user_uploads.added']),
    name: 'argyle-uploads-sandbox',
    url: 'https://example.execute-api.us-east-1.amazonaws.com/webhooks/argyle',
    secret: 'the-webhook-secret',
  });
});

function breachesIn(text: string): readonly string[] {
  return text
    .split('\n')
    .flatMap((line) => forbidden.flatMap(([what, pattern]) => (pattern.test(line) ? [`${what}: ${line}`] : [])));
}
