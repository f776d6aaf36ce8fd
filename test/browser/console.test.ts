import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { events, eventTypes } from '../../functions/domain/events.ts';
import { startConsole } from '../support/emulators/console-page.ts';
import { until } from '../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';

const added = 'user_uploads.added';

const { pipeline, view, stop } = await startConsole();
beforeEach(() => view.button('Clear').click());
afterEach(() => expect(view.messages).toEqual([]));
afterAll(stop);

const processed = async () => {
  await pipeline.argyle.settled();
  await pipeline.drained();
  await view.refresh();
};
const chosenId = () => view.page.inputValue('#upload');
const historyItems = () => view.page.locator('.history li > span');
const deliveryRows = () => view.page.locator('.deliveries tbody tr');
const badge = (status: RegExp) => view.page.locator('#document .badge').filter({ hasText: status });
const deadOf = async (event: string) => (await pipeline.queueStates()).find((queue) => queue.event === event)?.dead;
const count = async (step: string) =>
  Number((await view.page.locator(`[data-step="${step}"]`).textContent())?.replaceAll(',', ''));

test('each event of the catalogue has a button that sends it', async () => {
  const ids = new Map<string, string>();
  for (const event of eventTypes) {
    await view.button('Clear').click();
    expect(await view.press(event)).toBe('200 accepted');
    ids.set(event, await chosenId());
  }
  await processed();
  for (const event of eventTypes) {
    const id = ids.get(event) ?? '';
    await view.show(id);
    await historyItems().filter({ hasText: event }).waitFor();
    expect(await pipeline.readRecord(id)).toHaveProperty(events[event].slot);
  }
  expect(await view.page.locator('#events button').allTextContents()).toEqual(eventTypes);
});

test('a record is found by its id and by a click, with its history in time order and its deliveries', async () => {
  const ids = newUpload();
  for (const event of ['user_uploads.ocr_failed', added]) {
    await pipeline.post(webhookBody(event, ids));
    await pipeline.drained();
  }
  await view.show(ids.userUpload);
  await deliveryRows().nth(1).waitFor();
  const history = await historyItems().allTextContents();
  const deliveries = await deliveryRows().allTextContents();
  await view.button('Clear').click();
  await view.page.getByText('Choose a record').waitFor();
  await view.page.locator('#records').getByRole('button', { name: ids.userUpload, exact: true }).click();
  await view.page.locator('#document', { hasText: ids.account }).waitFor();

  expect(history).toEqual(['user_uploads.ocr_failed', added]);
  expect(deliveries).toEqual([
    // Argyle does not know the document, so it is requested three times.
    expect.stringMatching(/addedacceptedapplied(; document requested again){2}$/),
    expect.stringMatching(/ocr_failedacceptedapplied(; document requested again){2}$/),
  ]);
  expect(await badge(/./).textContent()).toBe('ocr_failed');
  expect(await chosenId()).toBe(ids.userUpload);
});

test('published changes appear without any action, with the status before and after', async () => {
  const ids = newUpload();
  for (const event of [added, 'user_uploads.removed']) {
    await pipeline.post(webhookBody(event, ids));
    await pipeline.drained();
  }
  const changes = view.page.locator('#changes tr', { hasText: ids.userUpload });
  await changes.filter({ hasText: 'added → removed' }).waitFor();
  expect(await changes.last().locator('.badge').allTextContents()).toEqual(['added']);
});

test('a duplicate is delivered three times and creates one record', async () => {
  expect(await view.press('Duplicate')).toBe('3 × 200 accepted');
  const id = await chosenId();
  await processed();
  await deliveryRows().nth(2).waitFor();
  expect((await pipeline.readRecords()).has(id)).toBe(true);
  expect(await historyItems().count()).toBe(1);
});

test('events out of order create the same record as in order', async () => {
  expect(await view.press('Out of order')).toBe('5 × 200 accepted');
  await processed();
  await historyItems()
    .nth(eventTypes.length - 1)
    .waitFor();
  await badge(/removed/).waitFor();
  expect(Object.keys((await pipeline.readRecord(await chosenId())) ?? {})).toEqual(
    expect.arrayContaining(eventTypes.map((event) => events[event].slot)),
  );
});

test('a bad signature is refused: received, but neither verified nor stored', async () => {
  const before = { received: await count('received'), verified: await count('verified') };
  expect(await view.press('Bad signature')).toBe('1 × 401 bad_signature');
  await until(async () => (await count('received')) === before.received + 1);
  expect(await count('verified')).toBe(before.verified);
  expect(await view.page.locator('#funnel').textContent()).toContain('1 refused');
});

test('an unknown event is in quarantine, and a release leaves it there', async () => {
  expect(await view.press('Not understood')).toBe('1 × 200 quarantined');
  await view.cell('quarantine', 'visible').filter({ hasText: '1' }).waitFor();
  expect(await view.press('Release quarantine')).toBe('0 moved, 1 not understood and left in the queue');
  expect((await pipeline.readMessages(pipeline.queueOf('quarantine').url)).length).toBe(1);
});

test('a poison message becomes a dead letter, and again after a redrive', async () => {
  const event = 'user_uploads.ocr_failed';
  const failures = () => pipeline.logLines.filter((line) => line.includes('"record_failed"')).length;
  await view.page.getByLabel('Event', { exact: true }).selectOption(event);
  expect(await view.press('Poison')).toBe('1 × put on the queue');
  await until(async () => (await deadOf(event)) === 1);
  await view.refresh();
  await view.cell(event, 'dead').filter({ hasText: '1' }).waitFor();
  expect(await view.page.locator('#lane-warning').textContent()).toContain(`1 dead in ${event}`);

  const before = failures();
  expect(await view.press(`Redrive ${event}`)).toBe('1 moved');
  await until(async () => failures() > before && (await deadOf(event)) === 1);
  await pipeline.purge(pipeline.queueOf(event).deadLetterUrl);
});

test('a redrive empties the dead-letter queue of an event, and its messages are applied', async () => {
  // More than one batch of ten.
  const uploads = Array.from({ length: 12 }, newUpload);
  const { deadLetterUrl } = pipeline.queueOf(added);
  const attributes = { event: added, receivedAt: new Date().toISOString(), deliveryId: 'repaired' };
  await Promise.all(uploads.map((ids) => pipeline.putOn(deadLetterUrl, webhookBody(added, ids), attributes)));
  await view.refresh();
  await view.cell(added, 'dead').filter({ hasText: '12' }).waitFor();

  expect(await view.press(`Redrive ${added}`)).toBe('12 moved');
  await view.cell(added, 'dead').filter({ hasText: /^0$/ }).waitFor();
  await processed();

  expect(await view.button(`Redrive ${added}`).isDisabled()).toBe(true);
  expect(await deadOf(added)).toBe(0);
  const records = await pipeline.readRecords();
  for (const ids of uploads) expect(records.get(ids.userUpload)).toMatchObject(ids);
});

test('the fake Argyle sends the events of its documents, and only they can be changed there', async () => {
  await view.press(added);
  expect(await view.button('OCR succeeds').isDisabled()).toBe(true);
  await view.button('Clear').click();
  expect(await view.press('Upload a document')).toBe('done');
  await processed();
  await badge(/^added$/).waitFor();
  await view.press('OCR succeeds');
  await processed();
  await badge(/ocr_completed/).waitFor();
  await view.page.locator('#document', { hasText: 'document.pdf' }).waitFor();
  await view.press('Delete the document');
  await processed();
  await badge(/removed/).waitFor();

  expect(await pipeline.readRecord(await chosenId())).toMatchObject({
    ocrCompletedAt: expect.any(String),
    removedAt: expect.any(String),
  });
  expect(await view.page.locator('#document').textContent()).not.toContain('document.pdf');
  expect(await view.button('OCR succeeds').isDisabled()).toBe(true);
});

test('a flood of 200 webhooks is visible in the funnel, the lanes, the chart and the records', async () => {
  const before = { received: await count('received'), applied: await count('applied') };
  expect(await view.press('Flood of 200')).toBe('200 × 200 accepted');
  await view.page.locator('#chart rect').first().waitFor();
  await processed();
  await until(async () => (await count('received')) === before.received + 200);
  await until(async () => (await count('applied')) === before.applied + 200);

  const { size } = await pipeline.readRecords();
  await view.page.locator('#record-count', { hasText: `the newest 20 of ${size}` }).waitFor();
  expect(await view.page.locator('#records tr').count()).toBe(20);
  for (const event of eventTypes)
    expect(Number(await view.cell(event, 'applied').textContent())).toBeGreaterThanOrEqual(40);
});
