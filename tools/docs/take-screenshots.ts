import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { requireCommands } from '../../test/support/emulators/cached-installation.ts';
import { startChromium } from '../../test/support/emulators/chromium.ts';
import { startFakeArgyle } from '../fake-argyle/fake-argyle.ts';
import { startPipeline } from '../local/pipeline.ts';
import { synthesize, withoutStageSettings } from '../local/synthesize.ts';

// npm run docs:screenshots: takes the screenshots of the console for docs/, after every kind of event and failure.
requireCommands('docs:screenshots', { pngquant: 'pngquant' });
const credentials = { apiKeyId: 'local', apiKeySecret: 'local' };
const assembly = await synthesize({
  ...withoutStageSettings,
  argyleCredentials: 'argyle/api-key',
  publishChanges: 'true',
});
const argyle = await startFakeArgyle({ port: 0, ...credentials });
try {
  const pipeline = await startPipeline({
    assembly: assembly.directory,
    // The port in the README.
    ports: { gateway: Number(process.env.PORT || 8787), dynamodb: 0, sqs: 0 },
    argyle: { ...argyle, credentials },
    webhookSecret: 'local-secret',
    onLog: () => undefined,
    onWarning: console.error,
  });
  const browser = await startChromium();
  try {
    const wide = await browser.newPage({ viewport: { width: 1280, height: 900 }, bypassCSP: true });
    await wide.goto(new URL('/', pipeline.webhookUrl).href);
    const upload = await play(wide);
    await takeScreenshot(wide, 'console.png', { width: 1280, height: 1_700 });
    const phone = { viewport: { width: 400, height: 800 }, colorScheme: 'dark', bypassCSP: true } as const;
    const narrow = await browser.newPage(phone);
    await narrow.goto(new URL('/', pipeline.webhookUrl).href);
    await narrow.getByLabel('Document id').fill(upload);
    await narrow.getByRole('button', { name: 'Show' }).click();
    await narrow.locator('.deliveries').waitFor();
    await takeScreenshot(narrow, 'console-narrow.png', { width: 400, height: 1_700 });
  } finally {
    await browser.close();
    await pipeline.stop();
  }
} finally {
  await argyle.stop();
  await assembly.remove();
}

// Presses the buttons and waits until every message is processed. Returns the id of the last document.
async function play(page: Page): Promise<string> {
  const press = async (name: string) => {
    await page.getByRole('button', { name, exact: true }).click();
    await page
      .locator('#answer', { hasText: `${name}: ` })
      .filter({ hasNotText: 'in progress' })
      .waitFor();
  };
  await page.locator('#connection', { hasText: 'live' }).waitFor();
  for (const name of ['Duplicate', 'Bad signature', 'Not understood', 'Poison', 'Clear', 'Flood of 200']) {
    if (name === 'Clear') await page.getByRole('button', { name }).click();
    else await press(name);
  }
  await press('Upload a document');
  await page.locator('#document .badge', { hasText: 'added' }).waitFor();
  await press('OCR succeeds');
  await page.locator('#document .badge', { hasText: 'ocr_completed' }).waitFor();
  await page.locator('#document', { hasText: 'fetchedAt' }).waitFor();
  await page.locator('#record-count', { hasText: 'of 202' }).waitFor();
  await page.locator('#funnel li', { hasText: 'Applied' }).filter({ hasNotText: 'waiting' }).waitFor();
  return page.inputValue('#upload');
}

async function takeScreenshot(page: Page, name: string, size: { width: number; height: number }): Promise<void> {
  const path = fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));
  // Without the last answer, which covers the bottom of the window.
  await page.screenshot({ path, fullPage: true, clip: { x: 0, y: 0, ...size }, style: '#answer { display: none }' });
  execFileSync('pngquant', ['--force', '--ext', '.png', '--nofs', '128', path]);
  console.log(path);
}
