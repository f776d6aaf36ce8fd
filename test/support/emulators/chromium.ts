import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const otherPaths = [
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const notFound = 'no Chromium found: test/browser did not run; apt-get install chromium, or set CHROMIUM to its path';

/** Returns the path of a Chromium: CHROMIUM if set, else one in the PATH or another common place, or undefined. */
export function findChromium(): string | undefined {
  const { CHROMIUM, PATH = '' } = process.env;
  if (CHROMIUM) return CHROMIUM;
  const folders = [...PATH.split(delimiter), '/usr/bin'];
  const paths = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return [...paths, ...otherPaths].find((path) => existsSync(path));
}

/** Starts Chromium without a window. It resolves local names only: no request can leave the loopback interface. */
export async function startChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error(notFound);
  return chromium.launch({
    executablePath,
    args: ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost'],
  });
}

/** Vitest's global teardown: reports at the end of the output that the browser tests did not run. */
export function teardown(): void {
  if (!findChromium()) console.error(`\n${notFound}`);
}
