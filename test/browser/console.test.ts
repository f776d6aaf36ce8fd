import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { events, eventTypes } from '../../functions/domain/events.ts';
import { startChromium } from '../support/emulators/chromium.ts';
import { type ConsolePage, laneCell, openConsole } from '../support/emulators/console-page.ts';
import { type ConnectedPipeline, startConnectedPipeline, until } from '../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';

const added = 'user_uploads.added';

let pipeline: ConnectedPipeline;
let browser: Browser;
beforeAll(async () => {
  [pipeline, browser] = await Promise.all([startConnectedPipeline(), startChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await pipeline?.stop();
});

const open = () => openConsole(browser, pipeline.webhookUrl);
const dead = async (event: string) => (await pipeline.queueStates()).find((queue) => queue.event === event)?.dead;
const idOf = ({ page }: ConsolePage) => page.inputValue('#upload');
const step = ({ page }: ConsolePage, name: string) => page.locator(`[data-step="${name}"]`);
const count = async (consolePage: ConsolePage, name: string) =>
  Number((await step(consolePage, name).textContent())?.replaceAll(',', ''));

test('each event of the catalogue has a button that sends it, and its document is shown', async () => {
  const console = await open();
  const { page } = console;
  for (const event of eventTypes) {
    await console.button('Clear').click();
    expect(await console.answerTo(event)).toBe('200 accepted');
    const id = await idOf(console);
    await page.locator('#document code', { hasText: id }).waitFor();
    await page.locator('.history', { hasText: event }).waitFor();
    expect(await pipeline.readRecord(id)).toHaveProperty(events[event].slot);
  }
  expect(await page.locator('#events button').allTextContents()).toEqual(eventTypes);
});

test('a record is found by its id and by a click, with its history in time order and its deliveries', async () => {
  const ids = newUpload();
  await pipeline.post(webhookBody('user_uploads.ocr_failed', ids));
  await pipeline.drained();
  await pipeline.post(webhookBody(added, ids));
  await pipeline.drained();
  const { page, button } = await open();

  await page.getByLabel('Document id').fill(ids.userUpload);
  await button('Show').click();
  await page.locator('.deliveries tbody tr').nth(1).waitFor();
  const history = await page.locator('.history li > span').allTextContents();
  const deliveries = await page.locator('.deliveries tbody tr').allTextContents();
  await button('Clear').click();
  await page.getByText('Choose a record').waitFor();
  await page.locator('#records').getByRole('button', { name: ids.userUpload, exact: true }).click();
  await page.locator('#document', { hasText: ids.account }).waitFor();

  expect(history).toEqual(['user_uploads.ocr_failed', added]);
  expect(deliveries).toEqual([
    expect.stringMatching(/addedacceptedapplied$/),
    expect.stringMatching(/ocr_failedacceptedapplied$/),
  ]);
  expect(await page.locator('#document .badge').textContent()).toBe('ocr_failed');
  expect(await page.getByLabel('Document id').inputValue()).toBe(ids.userUpload);
});

test('what is published of a record is shown, with its status before and after', async () => {
  const ids = newUpload();
  const { page } = await open();
  await pipeline.post(webhookBody(added, ids));
  await pipeline.drained();
  await pipeline.post(webhookBody('user_uploads.removed', ids));
  const changes = page.locator('#changes tr', { hasText: ids.userUpload });
  await changes.filter({ hasText: 'added → removed' }).waitFor();
  expect(await changes.last().locator('.badge').allTextContents()).toEqual(['added']);
});

test('a duplicate is delivered three times and makes one record', async () => {
  const console = await open();
  expect(await console.answerTo('Duplicate')).toBe('3 × 200 accepted');
  const id = await idOf(console);
  await pipeline.drained();
  await console.page.locator('.deliveries tbody tr').nth(2).waitFor();
  const { uploads } = (await (await pipeline.fetchConsole('/console/state')).json()) as {
    uploads: { userUpload: string }[];
  };

  expect(uploads.filter(({ userUpload }) => userUpload === id)).toHaveLength(1);
  expect(await console.page.locator('.history li').count()).toBe(1);
});

test('events out of order make the same record as in order', async () => {
  const console = await open();
  expect(await console.answerTo('Out of order')).toBe('5 × 200 accepted');
  const id = await idOf(console);
  await console.page.locator('#document .badge', { hasText: 'removed' }).waitFor();
  await console.page
    .locator('.history li')
    .nth(eventTypes.length - 1)
    .waitFor();
  expect(Object.keys((await pipeline.readRecord(id)) ?? {})).toEqual(
    expect.arrayContaining(eventTypes.map((event) => events[event].slot)),
  );
});

test('a bad signature is refused: received, and neither verified nor stored', async () => {
  const console = await open();
  const before = { received: await count(console, 'received'), verified: await count(console, 'verified') };
  expect(await console.answerTo('Bad signature')).toBe('1 × 401 bad_signature');
  await until(async () => (await count(console, 'received')) === before.received + 1);
  expect(await count(console, 'verified')).toBe(before.verified);
  expect(await console.page.locator('#funnel').textContent()).toContain('1 refused');
});

test('what is not understood is in quarantine, and a release leaves it there', async () => {
  const console = await open();
  expect(await console.answerTo('Not understood')).toBe('1 × 200 quarantined');
  await laneCell(console.page, 'quarantine', 'visible').filter({ hasText: '1' }).waitFor();
  expect(await console.answerTo('Release quarantine')).toBe('0 moved, 1 stayed: not understood');
  expect((await pipeline.readMessages(pipeline.queueOf('quarantine').url)).length).toBe(1);
});

test('a poison message dies alone, and is back among the dead when it is redriven', async () => {
  const console = await open();
  const event = 'user_uploads.ocr_failed';
  await console.page.getByLabel('Event', { exact: true }).selectOption(event);
  expect(await console.answerTo('Poison')).toBe('1 × put on the queue');
  await laneCell(console.page, event, 'dead').filter({ hasText: '1' }).waitFor();
  expect(await dead(event)).toBe(1);
  expect(await console.page.locator('#troubled').textContent()).toContain(`1 dead in ${event}`);

  const givenUp = pipeline.logLines.filter((line) => line.includes('"record_failed"')).length;
  expect(await console.answerTo(`Redrive ${event}`)).toBe('1 moved');
  await until(async () => pipeline.logLines.filter((line) => line.includes('"record_failed"')).length > givenUp);
  await until(async () => (await dead(event)) === 1);
  await pipeline.purge(pipeline.queueOf(event).deadLetterUrl);
});

test('a redrive empties the dead letters of an event, and what was dead is applied', async () => {
  const uploads = Array.from({ length: 12 }, newUpload);
  const { deadLetterUrl } = pipeline.queueOf(added);
  const attributes = { event: added, receivedAt: new Date().toISOString(), deliveryId: 'mended' };
  for (const ids of uploads) await pipeline.putOn(deadLetterUrl, webhookBody(added, ids), attributes);
  const console = await open();
  await laneCell(console.page, added, 'dead').filter({ hasText: '12' }).waitFor();

  expect(await console.answerTo(`Redrive ${added}`)).toBe('12 moved');
  await laneCell(console.page, added, 'dead').filter({ hasText: /^0$/ }).waitFor();
  await pipeline.drained();

  expect(await console.button(`Redrive ${added}`).isDisabled()).toBe(true);
  expect(await dead(added)).toBe(0);
  for (const ids of uploads) expect(await pipeline.readRecord(ids.userUpload)).toMatchObject(ids);
});

test('the fake Argyle delivers what is done there, and only its own documents can be worked on', async () => {
  const console = await open();
  await console.answerTo(added);
  expect(await console.button('OCR succeeds').isDisabled()).toBe(true);
  await console.button('Clear').click();
  expect(await console.answerTo('Upload a document')).toBe('done');
  const id = await idOf(console);
  const badge = console.page.locator('#document .badge');
  await badge.filter({ hasText: /^added$/ }).waitFor();
  await console.answerTo('OCR succeeds');
  await badge.filter({ hasText: 'ocr_completed' }).waitFor();
  await console.page.locator('#document', { hasText: 'document.pdf' }).waitFor();
  await console.answerTo('Delete the document');
  await badge.filter({ hasText: 'removed' }).waitFor();

  expect(await pipeline.readRecord(id)).toMatchObject({
    ocrCompletedAt: expect.any(String),
    removedAt: expect.any(String),
  });
  expect(await console.page.locator('#document').textContent()).not.toContain('document.pdf');
  expect(await console.button('OCR succeeds').isDisabled()).toBe(true);
});

test('a flood of 500 webhooks goes through, seen in the funnel, the lanes and the chart', async () => {
  const console = await open();
  const before = { received: await count(console, 'received'), applied: await count(console, 'applied') };
  expect(await console.answerTo('Flood of 500')).toBe('500 × 200 accepted');
  await until(async () => (await count(console, 'received')) === before.received + 500);
  await console.page.locator('#chart rect').first().waitFor();
  await until(async () => (await count(console, 'applied')) === before.applied + 500);
  await pipeline.drained();

  const { uploads } = (await (await pipeline.fetchConsole('/console/state')).json()) as { uploads: object[] };
  await console.page.locator('#record-count', { hasText: `the newest 20 of ${uploads.length}` }).waitFor();
  expect(await console.page.locator('#records tr').count()).toBe(20);
  for (const event of eventTypes)
    expect(Number(await laneCell(console.page, event, 'applied').textContent())).toBeGreaterThanOrEqual(100);
}, 300_000);
