import type { Browser, Locator } from 'playwright-core';
import { startChromium } from './chromium.ts';
import { startConnectedPipeline } from './local-pipeline.ts';

/** Starts a pipeline and opens its console in a browser. */
export async function startConsole() {
  const [pipeline, browser] = await Promise.all([startConnectedPipeline(), startChromium()]);
  const stop = async () => {
    await browser.close();
    await pipeline.stop();
  };
  return { pipeline, view: await openConsole(browser, pipeline.webhookUrl), stop };
}

/** Waits until the page shows the pipeline. Collects the browser's messages, and the hosts of its requests. */
async function openConsole(browser: Browser, webhookUrl: string) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  // The test's own time-out is the only one.
  page.setDefaultTimeout(0);
  const messages: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => messages.push(message.text()));
  page.on('pageerror', (error) => messages.push(error.message));
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== 'data:') hosts.add(hostname);
  });
  await page.goto(new URL('/', webhookUrl).href);
  await page.locator('#connection', { hasText: 'live' }).waitFor();
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  return {
    page,
    messages,
    hosts,
    button,
    /** Presses a button, and returns its result once it is complete. */
    press: async (name: string): Promise<string> => {
      await button(name).click();
      const answer = page.locator('#answer', { hasText: `${name}: ` }).filter({ hasNotText: 'in progress' });
      return ((await answer.textContent()) ?? '').slice(`${name}: `.length);
    },
    /** Shows a document. */
    show: async (userUpload: string): Promise<void> => {
      await page.getByLabel('Document id').fill(userUpload);
      await button('Show').click();
      await page.locator('#document code', { hasText: userUpload }).waitFor();
    },
    /** The value in a cell of an event's row. */
    cell: (event: string, name: 'visible' | 'inFlight' | 'applied' | 'dead'): Locator =>
      page.locator(`tr[data-key="${event}"] [data-cell="${name}"] > span`).first(),
    /** Makes the page refresh now instead of within a second. */
    refresh: async (): Promise<void> => {
      await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))');
    },
  };
}
