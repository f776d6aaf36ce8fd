import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import { newUpload, webhookBody } from '../support/argyle-sender.ts';
import { startTestPipeline, type TestPipeline } from '../support/local-pipeline.ts';

let pipeline: TestPipeline;
beforeAll(async () => {
  pipeline = await startTestPipeline();
});
afterAll(() => pipeline.stop());

test('the state lists records with their status, and the queues in the order of the catalogue', async () => {
  const ids = newUpload();
  await pipeline.post(webhookBody('user_uploads.ocr_completed', ids));
  await pipeline.drained();

  const state = await (await pipeline.fetchConsole('/console/state')).json();

  const empty = { visible: 0, inFlight: 0, dead: 0 };
  expect(state).toEqual({
    uploads: [{ ...ids, ocrCompletedAt: expect.any(String), status: 'ocr_completed' }],
    queues: [...eventTypes, 'quarantine'].map((event) => ({ event, ...empty })),
  });
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

test('the page loads nothing from elsewhere', async () => {
  const page = await (await pipeline.fetchConsole('/')).text();

  expect(page).toContain('/console/state');
  expect(page).not.toMatch(/https?:|\/\/[a-z]|@import|src=/);
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
