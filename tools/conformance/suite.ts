import type { Check } from './check.ts';
import { acceptance } from './checks/acceptance.ts';
import { failures } from './checks/failures.ts';
import { quarantine } from './checks/quarantine.ts';
import { records } from './checks/records.ts';
import { signatures } from './checks/signatures.ts';
import { transport } from './checks/transport.ts';
import type { Observer } from './observer.ts';
import type { Receiver } from './receiver.ts';

/** The outcome of a check. `detail`: what it saw instead, or what it needs. */
export type Result = {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'not_observable';
  readonly detail?: string;
  readonly milliseconds: number;
};

/** Every check, in the order in which they run. */
export const suite: readonly Check[] = [
  ...acceptance,
  ...signatures,
  ...quarantine,
  ...records,
  ...transport,
  ...failures,
];

/** Runs checks one after the other, because some disturb the receiver. Calls `onResult` after each. */
export async function runSuite(
  receiver: Receiver,
  observer: Observer,
  {
    checks = suite,
    onResult,
  }: { readonly checks?: readonly Check[]; readonly onResult?: (result: Result) => void } = {},
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const one of checks) {
    const result = await runCheck(one, receiver, observer);
    results.push(result);
    onResult?.(result);
  }
  return results;
}

async function runCheck({ name, needs, run }: Check, receiver: Receiver, observer: Observer): Promise<Result> {
  const missing = needs.filter((need) => !observer[need]);
  if (missing.length > 0)
    return { name, outcome: 'not_observable', detail: `needs ${missing.join(', ')}`, milliseconds: 0 };
  const startedMs = performance.now();
  const elapsedMs = () => Math.round(performance.now() - startedMs);
  try {
    await run(receiver, observer);
    return { name, outcome: 'passed', milliseconds: elapsedMs() };
  } catch (error) {
    return { name, outcome: 'failed', detail: (error as Error).message, milliseconds: elapsedMs() };
  }
}
