import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChromium } from '../support/emulators/chromium.ts';
import { laneCell, openConsole } from '../support/emulators/console-page.ts';
import { type ConnectedPipeline, startConnectedPipeline, until } from '../support/emulators/local-pipeline.ts';

const added = 'user_uploads.added';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let pipeline: ConnectedPipeline;
let browser: Browser;
beforeAll(async () => {
  [pipeline, browser] = await Promise.all([startConnectedPipeline(), startChromium()]);
});
afterAll(async () => {
  await browser?.close();
  await pipeline?.stop();
});

const sizes = [
  { width: 1280, height: 900 },
  { width: 400, height: 800 },
];
const looks = sizes.flatMap((viewport) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ viewport, colorScheme })),
);

test.each(looks)(
  'all is there to be read, with nothing beside the page, at $viewport.width in $colorScheme',
  async (look) => {
    const { page, complaints, hosts, answerTo } = await openConsole(browser, pipeline.webhookUrl, look);
    await answerTo('Poison');
    await answerTo('Not understood');
    await answerTo('Upload a document');
    await page.locator('.deliveries tbody tr', { hasText: 'applied' }).waitFor();
    await laneCell(page, added, 'dead').filter({ hasNotText: /^0$/ }).waitFor();

    await page.evaluate(axe);
    const results = (await page.evaluate('axe.run()')) as AxeResults;

    expect(results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(look.viewport.width);
    expect(complaints).toEqual([]);
    expect([...hosts]).toEqual(['127.0.0.1']);
  },
);

test('everything can be done with the keyboard, and a live page takes the focus from nobody', async () => {
  const { page, complaints } = await openConsole(browser, pipeline.webhookUrl);
  const focused = () =>
    page.evaluate<string>('document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent');
  const tabTo = async (name: string) => {
    while ((await focused()) !== name) await page.keyboard.press('Tab');
  };

  await page.keyboard.press('Tab');
  expect(await focused()).toBe('Skip to the content');
  await page.keyboard.press('Enter');
  await tabTo(added);
  await page.keyboard.press('Enter');
  await page.locator('#answer', { hasText: '200 accepted' }).waitFor();
  await page.locator('.history', { hasText: added }).waitFor();
  expect(await focused()).toBe(added);

  await tabTo('Poison');
  await page.keyboard.press('Space');
  await laneCell(page, added, 'dead').filter({ hasNotText: /^0$/ }).waitFor();
  await tabTo(`Redrive ${added}`);
  await page.keyboard.press('Enter');
  await page.locator('#answer', { hasText: 'moved' }).waitFor();

  const id = await page.inputValue('#upload');
  await tabTo(id);
  await pipeline.argyle.uploadDocument();
  await until(async () => (await page.locator('#records tr').first().textContent())?.startsWith(id) === false);
  expect(await focused()).toBe(id);
  await page.keyboard.press('Enter');
  expect(await focused()).toBe('Document');
  expect(complaints).toEqual([]);
});

test('who wants no motion gets none', async () => {
  const { page } = await openConsole(browser, pipeline.webhookUrl, { reducedMotion: 'reduce' });
  const moving =
    'document.getAnimations().length + [...document.querySelectorAll("*")].filter((e) => getComputedStyle(e).transitionDuration !== "0s").length';
  expect(await page.evaluate(moving)).toBe(0);
});

test('a file name that is markup stays text', async () => {
  const fileName = '<img src="x" onerror="document.title=1">"><script>document.title=2</script>.pdf';
  const { userUpload } = await pipeline.argyle.uploadDocument({ fileName, documentType: '<b>paystubs</b>' });
  const { page, complaints, button } = await openConsole(browser, pipeline.webhookUrl);
  await page.getByLabel('Document id').fill(userUpload);
  await button('Show').click();
  await page.locator('#document dd', { hasText: fileName }).waitFor();

  expect(await page.locator('img, #document b, #document script').count()).toBe(0);
  expect(complaints).toEqual([]);
});
