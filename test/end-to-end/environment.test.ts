import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

const added = 'user_uploads.added';
const upload = '01320596-2c3d-189c-53e7-a8ce6d625b33';
const folder = mkdtempSync(join(tmpdir(), 'environment-test-'));

let variables: Readonly<Record<string, string>>;
let started: ChildProcess;
let webhookUrl = '';
// The requests that reached the proxy, and the AWS calls that reached the endpoint of the variables.
const strayed: string[] = [];
beforeAll(async () => {
  const stray = await serve((request, response) => {
    strayed.push(`${request.method} ${request.url}`);
    response.writeHead(502).end();
  });
  stray.server.on('connect', ({ url }, socket) => {
    strayed.push(`CONNECT ${url}`);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  variables = settingsOf(stray.url);
  started = spawn(process.execPath, ['tools/run.mjs', 'tools/local/start.ts'], {
    env: { ...process.env, ...variables, PORT: '0', DYNAMODB_PORT: '0', SQS_PORT: '0', WEBHOOK_SECRET: 'secret' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (!started.stdout || !started.stderr) throw new Error('npm start has no output.');
  const failure = text(started.stderr);
  for await (const line of createInterface({ input: started.stdout })) {
    webhookUrl = /^ready (.*)$/.exec(line)?.[1] ?? '';
    if (webhookUrl) break;
  }
  if (!webhookUrl) throw new Error(`npm start failed: ${await failure}`);
});
afterAll(async () => {
  started.kill('SIGTERM');
  await once(started, 'exit');
  rmSync(folder, { recursive: true });
});

test('npm start and its buttons work whatever AWS settings and proxies this machine has', async () => {
  const post = async (path: string) => (await fetch(new URL(path, webhookUrl), { method: 'POST' })).json();

  expect(await post(`/console/send?event=${added}&upload=${upload}`)).toEqual({ code: 200, status: 'accepted' });
  expect(await post(`/console/scenario?name=forgery&event=${added}`)).toEqual({ answers: { '401 bad_signature': 1 } });
  expect(await post('/console/argyle?action=upload')).toHaveProperty('userUpload');
  expect(strayed).toEqual([]);
});

test.each([
  `send ${added} --upload ${upload}`,
  `send ${added} --url URL`,
  `get ${upload}`,
  'list --account 01856c65-43b6-8b5d-b32a-56b8fbda5c28',
  'status',
  'dead list',
  `dead show ${added}`,
  `dead discard ${added} unreadable --yes`,
  `redrive ${added} --yes`,
  'quarantine list',
  'quarantine release --yes',
  'quarantine discard malformed --yes',
  'reconcile',
  'check',
])('%s works whatever AWS settings and proxies this machine has', async (words) => {
  const target = words.includes('--url') ? '' : `--local --port ${new URL(webhookUrl).port} `;
  const { code, out, err } = await uploads(`${target}${words.replace('URL', webhookUrl)}`);

  // These two describe on standard error what they do.
  const isDescribed = words === 'check' || words === 'reconcile';
  expect({ code, err }).toEqual({ code: 0, err: isDescribed ? expect.any(String) : '' });
  expect(out).not.toBe('');
  expect(strayed).toEqual([]);
});

const commands = [
  'status',
  `get ${upload}`,
  'list --user 01856c65-43b6-8b5d-b32a-56b8fbda5c28',
  `send ${added}`,
  'check',
]
  .concat(['dead list', `dead show ${added}`, `dead discard ${added} unreadable --yes`, `redrive ${added} --yes`])
  .concat(['quarantine list', 'quarantine release --yes', 'quarantine discard malformed --yes'])
  .concat(['tail', 'reconcile', 'rotate --yes']);

test('a foreign server on the port ends every command with one sentence and exit code 2', async () => {
  const answers: readonly RequestListener[] = [
    (_, response) => response.end('<html>Hello</html>'),
    (_, response) => response.end('{"status":"accepted"}'),
    (_, response) => response.end('{"stackName":"x","outputs":{},"endpoints":null}'),
    (_, response) => response.writeHead(404).end(),
    (_, response) => response.writeHead(302, { location: new URL('/console/stack', webhookUrl).href }).end(),
  ];
  for (const [index, command] of commands.entries()) {
    const { port } = await serve(answers[index % answers.length] as RequestListener);
    const { code, out, err } = await uploads(`--local --port ${port} ${command}`);
    const sentence = `Another program than the local pipeline answers on port ${port}: run npm start, or set its port with --port.\n`;
    expect({ command, code, out, err }).toEqual({ command, code: 2, out: '', err: sentence });
  }
});

test('a program on the port that does not speak HTTP is no local pipeline either', async () => {
  const server = createTcpServer((socket) => socket.on('error', () => undefined).end('220 mail.example.com\r\n'));
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  expect(await uploads(`--local --port ${port} status`)).toEqual({
    code: 2,
    out: '',
    err: `No local pipeline answers on port ${port}: run npm start, or set its port with --port.\n`,
  });
});

test.each([
  ['text', 200, 'OK'],
  ['JSON without a status', 200, '{}'],
  ['another status', 201, '{"status":"created"}'],
])('send does not believe a foreign server: %s', async (_, status, body) => {
  const { url } = await serve((__, response) => response.writeHead(status, 'accepted').end(body));
  const { code, out, err } = await uploads(`send ${added} --count 3 --url ${url}/`);

  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toBe(
    `${url}/ is not a receiver of Argyle's webhooks: it answered ${status}, but without the status accepted or quarantined.\n`,
  );
});

// Every setting that has broken a local command, and some that could.
function settingsOf(stray: string): Readonly<Record<string, string>> {
  const file = join(folder, 'config');
  const profile = 'region = eu-west-9\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\nretry_mode = unknown\n';
  writeFileSync(file, `[default]\n${profile}[profile work]\n${profile}endpoint_url = ${stray}\n`);
  const services = ['SQS', 'DYNAMODB', 'LAMBDA', 'SECRETS_MANAGER', 'CLOUDFORMATION', 'CLOUDWATCH', 'CLOUDWATCH_LOGS'];
  return {
    AWS_USE_FIPS_ENDPOINT: 'true',
    AWS_USE_DUALSTACK_ENDPOINT: 'true',
    AWS_ENDPOINT_URL: stray,
    ...Object.fromEntries(services.map((service) => [`AWS_ENDPOINT_URL_${service}`, stray])),
    AWS_PROFILE: 'work',
    AWS_CONFIG_FILE: file,
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'absent'),
    AWS_REGION: 'eu-west-9',
    AWS_MAX_ATTEMPTS: 'many',
    AWS_RETRY_MODE: 'unknown',
    AWS_DEFAULTS_MODE: 'unknown',
    AWS_ACCOUNT_ID_ENDPOINT_MODE: 'required',
    NODE_USE_ENV_PROXY: '1',
    ...Object.fromEntries(['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].map((name) => [name, stray])),
    NO_PROXY: '',
    no_proxy: '',
  };
}

async function uploads(words: string) {
  const child = spawn(process.execPath, ['tools/cli/uploads.ts', ...words.split(' ')], {
    env: { ...process.env, ...variables, WEBHOOK_SECRET: 'secret' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: code as number | null, out, err };
}

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  const { port } = server.address() as AddressInfo;
  return { server, port, url: `http://127.0.0.1:${port}` };
}
