import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { outputNames } from '../../../infra/output-names.ts';
import { suite } from '../../../tools/conformance/suite.ts';
import { reference } from '../conformance/reference.ts';
import { serve } from '../conformance/serve.ts';
import { run } from './run.ts';

let served: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  served = await serve(reference);
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => served.stop());

test('check prints one line per check and names those that it cannot observe', async () => {
  vi.stubEnv('WEBHOOK_SECRET', served.secret);

  const { code, out, err } = await run(`check --url ${served.url}`);

  const lines = out.trimEnd().split('\n');
  const unobservable = suite.filter(({ needs }) => needs.length > 0);
  expect(code).toBe(0);
  expect(err).toContain('They leave records, whose ids start with c0ffee00');
  expect(lines).toHaveLength(suite.length + 1);
  expect(lines.filter((line) => line.startsWith('not observable here: '))).toHaveLength(unobservable.length);
  expect(lines).toContain('passed: refuses a tampered body');
  expect(lines).toContain('not observable here: changes no record on a repeat (needs readRecord)');
  const passed = suite.length - unobservable.length;
  expect(lines.at(-1)).toBe(`${passed} passed, 0 failed, ${unobservable.length} not observable here`);
});

test('check exits with 1 when a check fails, reports what it saw, and reads the records of --table', async () => {
  vi.stubEnv('WEBHOOK_SECRET', 'another');
  const { received, stop } = await startAws(200, '{}', 400);

  const { code, out, err } = await run(`--region us-east-1 --json check --url ${served.url} --table Uploads`);
  await stop();

  const report = JSON.parse(out);
  expect([code, err]).toEqual([1, '']);
  expect(report.passed + report.failed + report.notObservable).toBe(suite.length);
  expect(report.checks).toContainEqual({
    name: 'accepts a digest in upper case',
    outcome: 'failed',
    detail: 'upper case: answered 401 bad_signature, expected 200 accepted',
    milliseconds: expect.any(Number),
  });
  expect(received[0]).toContain('"TableName":"Uploads"');
});

test('check exits with 2 and sends nothing when it cannot read the table', async () => {
  vi.stubEnv('WEBHOOK_SECRET', served.secret);
  const { stop } = await startAws(400, '{"__type": "ResourceNotFoundException", "message": "No such table."}');

  const { code, out, err } = await run(`--region us-east-1 check --url ${served.url} --table Uploads`);
  await stop();

  expect({ code, out, err }).toEqual({ code: 2, out: '', err: 'No such table.\n' });
  expect(await run('--local check --table Uploads')).toMatchObject({ code: 2, err: expect.stringContaining('--url') });
});

test.each([
  { secret: 's', url: 'ftp://x', sentence: "'ftp://x' is invalid. Use an http or https URL." },
  { secret: undefined, url: 'http://x', sentence: 'Set the environment variable WEBHOOK_SECRET' },
  { secret: 's', url: 'http://127.0.0.1:1/', sentence: 'http://127.0.0.1:1/ does not answer: ECONNREFUSED' },
])('check exits with 2 when it cannot run: $sentence', async ({ secret, url, sentence }) => {
  vi.stubEnv('WEBHOOK_SECRET', secret);

  expect(await run(`check --url ${url}`)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(sentence) });
});

test('check of a deployed stack sends nothing until it is confirmed', async () => {
  const { received, stop } = await startAws(200, describedStack());
  const unconfirmed = await run('--stage production --region us-east-1 check');
  const refused = await run('--stage production --region us-east-1 check', 'n');
  await stop();

  expect(unconfirmed).toMatchObject({ code: 2, out: '', err: expect.stringContaining('add --yes') });
  expect(refused).toMatchObject({ code: 0, out: 'Nothing was sent.\n' });
  expect(refused.err).toContain('argyle-uploads-production: The check sends about 250 webhooks');
  expect(received.every((body) => body.includes('StackName=argyle-uploads-production'))).toBe(true);
});

test('check exits with 2 when the stack cannot be read', async () => {
  vi.stubEnv('AWS_ENDPOINT_URL_CLOUDFORMATION', 'http://127.0.0.1:1');
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1');

  expect((await run('--region us-east-1 check --yes')).code).toBe(2);
});

test('--help of check lists the data that it leaves behind', async () => {
  const { code, out } = await run('check --help');

  expect(code).toBe(0);
  expect(out).toContain('They leave records, whose ids start with c0ffee00');
});

// An answer to DescribeStacks: a stack whose resources do not exist.
function describedStack(): string {
  const values: Record<string, string> = {
    [outputNames.queueUrls]: JSON.stringify(Object.fromEntries(eventTypes.map((event) => [event, `http://${event}`]))),
    [outputNames.logGroupNames]: '{}',
  };
  const outputs = Object.values(outputNames).map(
    (name) =>
      `<member><OutputKey>${name}</OutputKey><OutputValue>${values[name] ?? `http://${name}`}</OutputValue></member>`,
  );
  const stack = `<Stacks><member><Outputs>${outputs.join('')}</Outputs></member></Stacks>`;
  return `<DescribeStacksResponse><DescribeStacksResult>${stack}</DescribeStacksResult></DescribeStacksResponse>`;
}

// Starts an endpoint that answers every AWS call with the same body, and keeps the bodies of the calls.
// `laterCode` is the status of every answer after the first.
async function startAws(code: number, answer: string, laterCode = code) {
  const received: string[] = [];
  const server = createServer(async (request, response) => {
    received.push(Buffer.concat(await request.toArray()).toString());
    response.writeHead(received.length > 1 ? laterCode : code).end(answer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const stop = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { received, stop };
}
