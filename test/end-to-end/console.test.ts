import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import type { Overview, UploadHistory } from '../../tools/console/page/api.ts';
import { startTestPipeline, type TestPipeline, until } from '../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';

let pipeline: TestPipeline;
beforeAll(async () => {
  pipeline = await startTestPipeline();
});
afterAll(() => pipeline.stop());

test('the state lists records and queues, and the stack has the time of the last webhook', async () => {
  const lastWebhookAt = async () => {
    const stack = (await (await pipeline.fetchConsole('/console/stack')).json()) as { lastWebhookAt: string | null };
    return stack.lastWebhookAt;
  };
  expect(await lastWebhookAt()).toBeNull();
  const ids = newUpload();
  await pipeline.post(webhookBody('user_uploads.ocr_completed', ids));
  await pipeline.drained();

  const state = await (await pipeline.fetchConsole('/console/state')).json();

  const empty = { visible: 0, inFlight: 0, dead: 0 };
  expect(state).toEqual({
    uploads: [{ ...ids, ocrCompletedAt: expect.any(String), status: 'ocr_completed' }],
    queues: [...eventTypes, 'quarantine'].map((event) => ({ event, ...empty })),
  });
  // Ingest prints its metrics after it has answered.
  await until(async () => (await lastWebhookAt()) !== null);
  const time = await lastWebhookAt();
  expect(time).toBe(new Date(String(time)).toISOString());
});

test('one record is found by its id, and an unknown one is 404', async () => {
  const ids = newUpload();
  await pipeline.post(webhookBody('user_uploads.added', ids));
  await pipeline.drained();

  const found = await pipeline.fetchConsole(`/console/uploads/${ids.userUpload}`);
  const others = [newUpload().userUpload, '', '%E0%A4%A', 'x'.repeat(3_000)];
  const unknown = await Promise.all(others.map((id) => pipeline.fetchConsole(`/console/uploads/${id}`)));

  expect(await found.json()).toEqual({ ...ids, addedAt: expect.any(String), status: 'added' });
  expect(unknown.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
});

test('a record with a number that only a person can have written is shown like any other', async () => {
  const { userUpload } = newUpload();
  await pipeline.writeRecord({ userUpload: { S: userUpload }, expiresAt: { N: '1e100' } });

  const paths = ['/console/state', '/console/overview', `/console/uploads/${userUpload}`];
  const answers = await Promise.all(paths.map((path) => pipeline.fetchConsole(path)));

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(await answers[2]?.json()).toEqual({ userUpload, expiresAt: 1e100, status: 'pending' });
});

test('the page and its files come from the pipeline, which forbids them to load anything from elsewhere', async () => {
  const files = await Promise.all(
    ['/', '/console/page.css', '/console/page.js'].map((path) => pipeline.fetchConsole(path)),
  );

  expect(files.map(({ status, headers }) => [status, headers.get('content-type')])).toEqual([
    [200, 'text/html; charset=utf-8'],
    [200, 'text/css; charset=utf-8'],
    [200, 'text/javascript; charset=utf-8'],
  ]);
  for (const { headers } of files) expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; /);
});

test.each([
  ['a page of another origin', 'POST', '/console/send?event=user_uploads.added', { origin: 'http://example.com' }],
  ['another page of this machine', 'POST', '/console/redrive?event=quarantine', { origin: 'http://localhost:3000' }],
  ['a page without an origin of its own', 'POST', '/console/scenario?name=flood', { origin: 'null' }],
  ['a name that points here', 'GET', '/console/state', { host: 'example.com:8787' }],
  ['a name that points here', 'GET', '/console/log', { host: '127.0.0.1.example.com' }],
  [
    'a name that points here',
    'POST',
    '/console/argyle?action=upload',
    { host: 'example.com', origin: 'http://example.com' },
  ],
])('%s is refused: %s %s', async (_, method, path, headers) => {
  const before = pipeline.logLines.length;
  expect(await exchange(method, path, headers)).toBe(403);
  expect(pipeline.logLines.length).toBe(before);
});

test('the own page may do what it does, by whichever name of this machine', async () => {
  const { port } = new URL(pipeline.webhookUrl);
  const host = `localhost:${port}`;
  const path = '/console/send?event=user_uploads.added';
  expect(await exchange('POST', path, { host, origin: `http://${host}` })).toBe(200);
  expect(await exchange('POST', path, {})).toBe(200);
});

test('the history of a document is its record and the deliveries that were seen of it', async () => {
  const ids = newUpload();
  await pipeline.post(webhookBody('user_uploads.added', ids));
  await pipeline.post(webhookBody('user_uploads.added', ids));
  await pipeline.drained();

  const path = `/console/uploads/${ids.userUpload}`;
  const history = (await (await pipeline.fetchConsole(`${path}/history`)).json()) as UploadHistory;

  const delivery = { deliveryId: expect.any(String), event: 'user_uploads.added', answer: 'accepted' };
  expect(history).toMatchObject({ deliveries: [delivery, delivery], isAtArgyle: false });
  expect(history.record).toEqual(await (await pipeline.fetchConsole(path)).json());
});

test('the overview counts the answers and results that the functions printed, and the messages in the queues', async () => {
  const bad = { 'X-Argyle-Signature': '0'.repeat(128) };
  await pipeline.post(webhookBody('user_uploads.added', newUpload()));
  await pipeline.post(webhookBody('user_uploads.added', newUpload()), bad);
  await pipeline.post('no JSON at all');
  await pipeline.drained();

  const overview = (await (await pipeline.fetchConsole('/console/overview')).json()) as Overview;

  const received = pipeline.logLines.filter((line) => line.includes('"service":"ingest"')).length;
  const accepted = received - 2;
  const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  expect(overview.answers).toEqual({ accepted, quarantined: 1, bad_signature: 1, too_large: 0, unavailable: 0 });
  expect(overview.quarantine).toEqual({ visible: 1, inFlight: 0 });
  expect(sumOf(overview.lanes.map(({ applied, repeated }) => applied + repeated))).toBe(accepted);
  expect(sumOf(overview.throughput.received)).toBe(received);
});

test('a button posts a signed sample for the chosen upload', async () => {
  const { userUpload } = newUpload();

  const sent = await pipeline.fetchConsole(`/console/send?event=user_uploads.added&upload=${userUpload}`, {
    method: 'POST',
  });
  const refused = await pipeline.fetchConsole('/console/send?event=nothing', { method: 'POST' });
  await pipeline.drained();

  expect(await sent.json()).toEqual({ code: 200, status: 'accepted' });
  expect(refused.status).toBe(400);
  expect(await pipeline.readRecord(userUpload)).toMatchObject({ userUpload, addedAt: expect.any(String) });
});

// fetch sends no Host of one's own.
async function exchange(method: string, path: string, headers: Record<string, string>): Promise<number | undefined> {
  const outgoing = request(new URL(path, pipeline.webhookUrl), { method, headers }).end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  response.destroy();
  return response.statusCode;
}
