import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

/** The console in a browser, with what the browser had to complain about and where it sent requests. */
export type ConsolePage = {
  readonly page: Page;
  readonly complaints: readonly string[];
  readonly hosts: ReadonlySet<string>;
  readonly button: (name: string) => Locator;
  /** What the page says of the last button that was pressed, once that is over. */
  readonly answerTo: (name: string) => Promise<string>;
};

/** Opens the console for one test and waits until it shows the pipeline. */
export async function openConsole(
  browser: Browser,
  webhookUrl: string,
  options: BrowserContextOptions = {},
): Promise<ConsolePage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  // The test's own limit is the only one.
  page.setDefaultTimeout(0);
  onTestFinished(() => page.close());
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== 'data:') hosts.add(hostname);
  });
  await page.goto(new URL('/', webhookUrl).href);
  await page.locator('#connection', { hasText: 'live' }).waitFor();
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const answerTo = async (name: string) => {
    await button(name).click();
    const answer = page.locator('#answer', { hasText: `${name}: ` }).filter({ hasNotText: 'under way' });
    return ((await answer.textContent()) ?? '').slice(`${name}: `.length);
  };
  return { page, complaints, hosts, button, answerTo };
}

/** What stands in the cell of an event's row. */
export function laneCell(page: Page, event: string, cell: 'visible' | 'inFlight' | 'applied' | 'dead'): Locator {
  return page.locator(`tr[data-event="${event}"] [data-cell="${cell}"] > span`).first();
}
