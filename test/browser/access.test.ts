import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { afterAll, afterEach, expect, test } from 'vitest';
import { startConsole } from '../support/emulators/console-page.ts';
import { until } from '../support/emulators/local-pipeline.ts';

const added = 'user_uploads.added';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const { pipeline, view, stop } = await startConsole();
afterEach(() => {
  expect(view.messages).toEqual([]);
  expect([...view.hosts]).toEqual(['127.0.0.1']);
});
afterAll(stop);

test('everything works with the keyboard, and the focus stays in place when the page refreshes', async () => {
  const { page, cell } = view;
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
  await cell(added, 'dead').filter({ hasNotText: /^0$/ }).waitFor();
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
});

test('everything is accessible and fits the window, wide or narrow, light or dark', async () => {
  const { page, press, cell } = view;
  for (const name of ['Poison', 'Not understood', 'Upload a document']) await press(name);
  await page.locator('.deliveries tbody tr', { hasText: 'applied' }).waitFor();
  await cell(added, 'dead').filter({ hasNotText: /^0$/ }).waitFor();
  await page.evaluate(axe);
  for (const width of [1_280, 400])
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    }
});

test('nothing moves when reduced motion is preferred', async () => {
  await view.page.emulateMedia({ reducedMotion: 'reduce' });
  const moving =
    'document.getAnimations().length + [...document.querySelectorAll("*")].filter((e) => getComputedStyle(e).transitionDuration !== "0s").length';
  expect(await view.page.evaluate(moving)).toBe(0);
});

test('a file name that contains markup is shown as text', async () => {
  const fileName = '<img src="x" onerror="document.title=1">"><script>document.title=2</script>.pdf';
  const { userUpload } = await pipeline.argyle.uploadDocument({ fileName, documentType: '<b>paystubs</b>' });
  await view.show(userUpload);
  await view.page.locator('#document dd', { hasText: fileName }).waitFor();
  expect(await view.page.locator('img, #document b, #document script').count()).toBe(0);
});

test('characters that change the direction of text are shown escaped', async () => {
  const fileName = 'invoice\u202efdp.exe\u2066\u009b\u001b';
  const { userUpload } = await pipeline.argyle.uploadDocument({ fileName, documentType: 'pay\u200estubs' });
  await view.show(userUpload);
  await view.page.locator('#document dd', { hasText: 'invoice\\u202efdp.exe\\u2066\\u009b\\u001b' }).waitFor();
  expect(await view.page.locator('body').textContent()).not.toMatch(/[^\P{C}\n]/u);
});
