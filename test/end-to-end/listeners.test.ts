import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ListeningSocket, listeningSockets } from '../support/emulators/listening-ports.ts';

const foreign = { host: 'example.com', origin: 'http://example.com' };
const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-amz-target' };

let started: ChildProcess;
let sockets: readonly ListeningSocket[];
let webhookUrl = '';
beforeAll(async () => {
  const env = { ...process.env, PORT: '0', DYNAMODB_PORT: '0', SQS_PORT: '0' };
  started = spawn(process.execPath, ['tools/run.mjs', 'tools/local/start.ts'], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (!started.stdout || !started.pid) throw new Error('npm start did not start.');
  for await (const line of createInterface({ input: started.stdout })) {
    webhookUrl = /^ready (.*)$/.exec(line)?.[1] ?? '';
    if (webhookUrl) break;
  }
  sockets = listeningSockets(started.pid);
});
afterAll(async () => {
  started.kill('SIGTERM');
  await once(started, 'exit');
});

// /proc shows which sockets belong to a process; other systems do not have it.
const onLinux = test.runIf(process.platform === 'linux');

onLinux('npm start listens on the loopback address only', async () => {
  const ports = sockets.map(({ port }) => port);
  const { endpoints } = (await (await fetch(new URL('/console/stack', webhookUrl))).json()) as { endpoints: object };
  const named = [webhookUrl, ...Object.values(endpoints)].map((url) => Number(new URL(url).port));

  expect(ports).toEqual(expect.arrayContaining(named));
  // The others are the table's stream and the fake Argyle.
  expect(ports).toHaveLength(named.length + 2);
  expect(new Set(sockets.map(({ address }) => address))).toEqual(new Set(['0100007F']));
});

onLinux(
  'every port of npm start refuses requests of other web pages, and answers none of their preflights',
  async () => {
    const requests = [
      { method: 'GET', headers: { host: foreign.host } },
      { method: 'GET', headers: { origin: foreign.origin } },
      { method: 'POST', headers: { origin: foreign.origin } },
      { method: 'POST', headers: foreign },
      { method: 'OPTIONS', headers: { ...preflight, origin: foreign.origin } },
      { method: 'OPTIONS', headers: { ...preflight, ...foreign } },
    ];
    for (const { port } of sockets)
      for (const { method, headers } of requests)
        expect(await exchange(`http://127.0.0.1:${port}/`, method, headers)).toEqual({ code: 403, cors: [] });
  },
);

onLinux('the control API and the emulators do not act on a foreign request', async () => {
  const { endpoints } = (await (await fetch(new URL('/console/stack', webhookUrl))).json()) as {
    endpoints: Readonly<Record<string, string>>;
  };
  const target = (name: string) => ({ 'x-amz-target': name, 'content-type': 'application/x-amz-json-1.0' });
  const calls = [
    [`${endpoints['LAMBDA']}/2015-03-31/functions/IngestFunction/invocations`, {}],
    [endpoints['DYNAMODB'], target('DynamoDB_20120810.ListTables')],
    [endpoints['SQS'], target('AmazonSQS.ListQueues')],
    [endpoints['SECRETS_MANAGER'], target('secretsmanager.GetSecretValue')],
    ...sockets.map(({ port }) => [`http://127.0.0.1:${port}/control/state`, {}] as const),
  ] as const;

  for (const [url = '', headers] of calls)
    for (const page of [{ origin: foreign.origin }, { host: foreign.host }])
      expect((await exchange(url, 'POST', { ...headers, ...page })).code).toBe(403);
});

test('a webhook may arrive through a tunnel, and nothing else may', async () => {
  const origin = new URL(webhookUrl).origin;
  const host = { host: 'tunnel.example.com' };

  expect((await exchange(webhookUrl, 'POST', host)).code).toBe(401);
  expect((await exchange(webhookUrl, 'POST', { ...host, origin: 'https://tunnel.example.com' })).code).toBe(403);
  for (const path of ['/', '/healthz', '/console/state', '/console/log'])
    expect((await exchange(`${origin}${path}`, 'GET', host)).code).toBe(403);
  expect((await exchange(`${origin}/console/redrive?event=quarantine`, 'POST', host)).code).toBe(403);
});

// fetch cannot set the Host header.
async function exchange(url: string, method: string, headers: Readonly<Record<string, string>>) {
  const outgoing = request(url, { method, headers, agent: false }).end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  response.destroy();
  const cors = Object.keys(response.headers).filter((name) => name.startsWith('access-control-'));
  return { code: response.statusCode, cors };
}
