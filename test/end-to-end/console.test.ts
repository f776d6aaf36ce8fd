import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import type { Overview, UploadHistory } from '../../tools/console/page/api.ts';
import { startTestPipeline, type TestPipeline } from '../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';

const added = 'user_uploads.added';
// Functions print some of their lines after the request is answered.
const eventually = { timeout: 100_000 };

let pipeline: TestPipeline;
beforeAll(async () => {
  pipeline = await startTestPipeline();
});
afterAll(() => pipeline.stop());

const read = async <T>(path: string) => (await (await pipeline.fetchConsole(path)).json()) as T;

test('the state lists records and queues, and the stack has the time of the last webhook', async () => {
  const lastWebhookAt = async () => (await read<{ lastWebhookAt: string | null }>('/console/stack')).lastWebhookAt;
  expect(await lastWebhookAt()).toBeNull();
  const ids = newUpload();
  await pipeline.post(webhookBody('user_uploads.ocr_completed', ids));
  await pipeline.drained();

  const empty = { visible: 0, inFlight: 0, dead: 0 };
  expect(await read('/console/state')).toEqual({
    uploads: [{ ...ids, ocrCompletedAt: expect.any(String), status: 'ocr_completed' }],
    queues: [...eventTypes, 'quarantine'].map((event) => ({ event, ...empty })),
  });
  await expect.poll(lastWebhookAt, eventually).toMatch(/^\d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z$/);
});

test('a record is found by its id, and unknown ids are answered 404', async () => {
  const ids = newUpload();
  await pipeline.post(webhookBody(added, ids));
  await pipeline.drained();
  expect(await read(`/console/uploads/${ids.userUpload}`)).toEqual({
    ...ids,
    addedAt: expect.any(String),
    status: 'added',
  });
  for (const id of [newUpload().userUpload, '', '%E0%A4%A', 'x'.repeat(3_000)])
    expect((await pipeline.fetchConsole(`/console/uploads/${id}`)).status).toBe(404);
});

test('a record with a number too large for the functions to write is still shown', async () => {
  const { userUpload } = newUpload();
  await pipeline.writeRecord({ userUpload: { S: userUpload }, expiresAt: { N: '1e100' } });
  for (const path of ['/console/state', '/console/overview'])
    expect((await pipeline.fetchConsole(path)).status).toBe(200);
  const record = { userUpload, expiresAt: 1e100, status: 'pending' };
  expect(await read(`/console/uploads/${userUpload}`)).toEqual(record);
});

test.each([
  ['/', 'text/html'],
  ['/console/page.css', 'text/css'],
  ['/console/page.js', 'text/javascript'],
])('%s is served with a policy that forbids loading anything from other servers', async (path, type) => {
  const { status, headers } = await pipeline.fetchConsole(path);
  expect([status, headers.get('content-type')]).toEqual([200, `${type}; charset=utf-8`]);
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; /);
});

const foreign = { host: 'example.com', origin: 'http://example.com' };
test.each([
  ['a page of another origin', 'POST', `/console/send?event=${added}`, { origin: 'http://example.com' }],
  ['another page of this machine', 'POST', '/console/redrive?event=quarantine', { origin: 'http://localhost:3000' }],
  ['a page without an origin', 'POST', '/console/scenario?name=flood', { origin: 'null' }],
  ['a host name that resolves to this machine', 'GET', '/console/state', { host: 'example.com:8787' }],
  ['a host name that resolves to this machine', 'GET', '/console/log', { host: '127.0.0.1.example.com' }],
  ['a host name that resolves to this machine', 'POST', '/console/argyle?action=upload', foreign],
])('%s is refused: %s %s', async (_, method, path, headers) => {
  const before = pipeline.logLines.length;
  expect(await exchange(method, path, headers)).toBe(403);
  expect(pipeline.logLines.length).toBe(before);
});

test('the page can send a signed sample of a document, under any host name of this machine', async () => {
  const { userUpload } = newUpload();
  const host = `localhost:${new URL(pipeline.webhookUrl).port}`;
  const path = `/console/send?event=${added}&upload=${userUpload}`;
  expect(await exchange('POST', path, { host, origin: `http://${host}` })).toBe(200);
  expect(await (await pipeline.fetchConsole(path, { method: 'POST' })).json()).toEqual({
    code: 200,
    status: 'accepted',
  });
  await pipeline.drained();
  expect(await pipeline.readRecord(userUpload)).toMatchObject({ userUpload, addedAt: expect.any(String) });
});

test.each(['send?event=x', `scenario?event=${added}&name=x`, 'argyle?action=upload', 'redrive?event=x'])(
  'POST /console/%s is answered 400',
  async (path) => {
    expect((await pipeline.fetchConsole(`/console/${path}`, { method: 'POST' })).status).toBe(400);
  },
);

test('without a change bus, the changes are empty and isPublishing is false', async () => {
  await pipeline.post(webhookBody(added, newUpload()));
  await pipeline.drained();
  expect(await read('/console/changes')).toEqual({ isPublishing: false, changes: [] });
});

test('the history of a document is its record and its deliveries', async () => {
  const ids = newUpload();
  for (const _ of [1, 2]) await pipeline.post(webhookBody(added, ids));
  await pipeline.drained();
  const path = `/console/uploads/${ids.userUpload}`;
  const delivery = { deliveryId: expect.any(String), event: added, answer: 'accepted' };
  const record = await read(path);
  await expect
    .poll(() => read<UploadHistory>(`${path}/history`), eventually)
    .toMatchObject({ record, deliveries: [delivery, delivery], isAtArgyle: false });
});

test('the overview counts the answers and results that the functions printed, and the messages in the queues', async () => {
  await pipeline.post(webhookBody(added, newUpload()));
  await pipeline.post(webhookBody(added, newUpload()), { 'X-Argyle-Signature': '0'.repeat(128) });
  await pipeline.post('no JSON at all');
  await pipeline.drained();
  const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  const counts = async () => {
    const { answers, lanes, quarantine, throughput } = await read<Overview>('/console/overview');
    const applied = sumOf(lanes.map((lane) => lane.applied + lane.repeated));
    const printed = pipeline.logLines.filter((line) => line.includes('"service":"ingest"')).length;
    const { accepted, ...others } = answers;
    return { ...others, quarantine, unapplied: accepted - applied, unseen: printed - sumOf(throughput.received) };
  };
  await expect.poll(counts, eventually).toEqual({
    ...{ quarantined: 1, bad_signature: 1, too_large: 0, unavailable: 0 },
    ...{ quarantine: { visible: 1, inFlight: 0 }, unapplied: 0, unseen: 0 },
  });
});

// fetch cannot set the Host header.
async function exchange(method: string, path: string, headers: Record<string, string>): Promise<number | undefined> {
  const outgoing = request(new URL(path, pipeline.webhookUrl), { method, headers }).end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  response.destroy();
  return response.statusCode;
}
