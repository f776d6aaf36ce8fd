import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { startTestPipeline, type TestPipeline, until } from '../../support/emulators/local-pipeline.ts';
import { newUpload } from '../../support/fakes/argyle-sender.ts';
import { run } from './run.ts';

// Clears the screen, sets the window's title, reverses the direction of text, and adds a line.
const hostile = 'a\u001b[2J\u009b31m\u001b]0;title\u0007\u007f\u202eb\u2066c\u061cd\u200ee\tf\r\ng';
// The part of it that SQS accepts.
const accepted = '\u009b31m\u007f\u202eb\u2066c\u061cd\u200ee\tf\r\ng';
const removed = 'user_uploads.removed';
const ids = newUpload();

let pipeline: TestPipeline;
beforeAll(async () => {
  pipeline = await startTestPipeline();
  vi.stubEnv('PORT', new URL(pipeline.webhookUrl).port);
  await writeHostileRecord();
  await pipeline.putOn(pipeline.queueOf(removed).deadLetterUrl, `not JSON: ${accepted}`, attributesOf(removed));
  await pipeline.putOn(pipeline.queueOf('quarantine').url, '{}', attributesOf(`x${accepted}`));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => pipeline.stop());

// Every command, and what it prints of the hostile text. The others print none of it.
test.each([
  ['get', `--local get ${ids.userUpload}`, 'a\\u001b[2J\\u009b31m\\u001b]0;title\\u0007\\u007f\\u202eb'],
  ['get', `--local --json get ${ids.userUpload}`, 'a\\u001b[2J\\u009b31m'],
  ['list', `--local list --account ${ids.account}`, 'a\\u001b[2J\\u009b31m'],
  ['list', `--local --json list --user ${ids.user}`, '\\u202eb\\u2066c\\u061cd\\u200ee\\tf\\r\\ng'],
  ['dead show', `--local dead show ${removed}`, '\\u009b31m'],
  ['dead show', `--local dead show ${removed} --bodies`, 'not JSON: \\u009b31m'],
  ['dead show', `--local --json dead show ${removed} --bodies`, 'not JSON: \\u009b31m'],
  ['dead list', '--local dead list', removed],
  ['dead discard', `--local dead discard ${removed} wrong_event --yes`, '0 deleted'],
  ['redrive', `--local redrive ${removed} --dry-run`, 'dry run'],
  ['quarantine list', '--local quarantine list', 'x\\u009b31m'],
  ['quarantine list', '--local --json quarantine list', 'x\\u009b31m'],
  ['quarantine release', '--local quarantine release --yes', 'stayed'],
  ['quarantine discard', '--local quarantine discard malformed --yes', 'deleted'],
  ['status', '--local status', 'dead letters'],
  ['reconcile', '--local reconcile', 'no credentials'],
])('%s escapes untrusted text: %s', async (_, words, expected) => {
  vi.stubEnv('PORT', new URL(pipeline.webhookUrl).port);
  const { out, err } = await run(words);

  expect(controlsIn(out + err)).toEqual([]);
  expect(out + err).toContain(expected);
  if (words.includes('--json')) expect(JSON.stringify(JSON.parse(out))).toContain('\u202e');
});

test.each(['send user_uploads.added', '--json send user_uploads.added', 'check', '--json check'])(
  '%s escapes the answers of a receiver',
  async (words) => {
    vi.stubEnv('WEBHOOK_SECRET', 'any');
    const url = await serve(500, JSON.stringify({ status: hostile }));
    const { code, out, err } = await run(`${words} --url ${url}`);

    expect(code).toBe(1);
    expect(controlsIn(out + err)).toEqual([]);
    expect(out).toContain('\\u001b[2J');
  },
);

test.each([
  'status',
  'get',
  'list',
  'dead list',
  'quarantine list',
  'tail',
  'rotate --yes',
  'reconcile',
  'resubscribe --yes',
  'restore',
  'check --yes',
])('%s escapes the errors of AWS and prints them on one line', async (words) => {
  vi.stubEnv('AWS_ENDPOINT_URL', await serve(400, errorOf(hostile)));
  const id = { get: ids.userUpload, list: `--account ${ids.account}` }[words] ?? '';
  const { code, err } = await run(`--region us-east-1 ${words} ${id}`.trim());

  expect(code).toBeGreaterThan(0);
  expect(controlsIn(err)).toEqual([]);
  expect(err).toContain('a\\u001b[2J');
  expect(err.trimEnd().split('\n')).toHaveLength(1);
});

test('tail escapes log lines', async () => {
  vi.stubEnv('PORT', new URL(pipeline.webhookUrl).port);
  let out = '';
  const tailing = run('--local tail', undefined, (text) => {
    out += text;
  });
  await until(async () => {
    await pipeline.putOnQueue(removed, 'not JSON', { ...attributesOf(removed), deliveryId: `d-${accepted}` });
    return out.includes('d-\\u009b31m');
  });
  process.emit('SIGINT');
  await tailing;

  expect(controlsIn(out)).toEqual([]);
});

test.each([`/console/uploads/${ids.userUpload}`, '/console/state', '/console/overview'])(
  'the answer of %s, which people read with curl, contains no control character and keeps its meaning',
  async (path) => {
    const answer = await (await pipeline.fetchConsole(path)).text();

    expect(controlsIn(answer)).toEqual([]);
    expect(JSON.stringify(JSON.parse(answer))).toContain(JSON.stringify(hostile));
  },
);

test('every command is in the tables above', async () => {
  const commandsOf = async (words: string) => {
    const { out } = await run(`${words} --help`.trim());
    return [...(out.split('Commands:')[1] ?? '').matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name);
  };
  const groups = ['dead', 'quarantine'];
  const names = [
    ...(await commandsOf('')).filter((name = '') => !groups.includes(name)),
    ...(await commandsOf('dead')).map((name) => `dead ${name}`),
    ...(await commandsOf('quarantine')).map((name) => `quarantine ${name}`),
  ].filter((name) => !/help/.test(name ?? ''));

  expect(names.toSorted()).toEqual(
    ['status', 'get', 'list', 'send', 'check', 'dead list', 'dead show', 'dead discard', 'redrive', 'quarantine list']
      .concat(['quarantine release', 'quarantine discard', 'tail', 'reconcile', 'restore', 'rotate', 'resubscribe'])
      .toSorted(),
  );
});

// The line breaks of our own lines are the only control characters.
function controlsIn(text: string): readonly string[] {
  return text.match(/[^\P{C}\n]/gu) ?? [];
}

async function writeHostileRecord(): Promise<void> {
  const document = { type: { S: hostile }, fileName: { S: hostile } };
  const key = { userUpload: { S: ids.userUpload }, account: { S: ids.account }, user: { S: ids.user } };
  await pipeline.writeRecord({ ...key, addedAt: { S: hostile }, document: { M: document } });
}

function attributesOf(event: string): Record<string, string> {
  return { event, receivedAt: new Date().toISOString(), deliveryId: accepted };
}

function errorOf(message: string): string {
  return `<ErrorResponse><Error><Code>AccessDenied</Code><Message>${message}</Message></Error></ErrorResponse>`;
}

async function serve(status: number, body: string): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(status).end(body));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
