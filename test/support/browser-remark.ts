import { findChromium, noChromium } from './emulators/chromium.ts';

/** Says in one line, at the end where it is seen, that the browser's tests did not run. */
export function teardown(): void {
  if (!findChromium()) console.error(`\n${noChromium}`);
}
