const startedMs = Date.now();
let passed = 0;
let failed = 0;

/** A step failed and was reported. The steps that depend on it are skipped. */
export class StepFailed extends Error {}

/** Runs a step, prints `ok` or `FAILED` with the reason, and returns the result. Throws a StepFailed. */
export async function step<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const stepStartedMs = Date.now();
  try {
    const result = await work();
    passed += 1;
    console.log(`ok   ${name} (${seconds(stepStartedMs)})`);
    return result;
  } catch (error) {
    failed += 1;
    const reason = String((error as Error)?.message ?? error).replaceAll(/^/gm, '     ');
    console.error(`FAILED ${name} (${seconds(stepStartedMs)})\n${reason}`);
    throw new StepFailed(name, { cause: error });
  }
}

/** Prints the number of steps by outcome, and returns whether none has failed. */
export function printSummary(): boolean {
  console.log(`deploy: ${passed} steps passed, ${failed} failed in ${seconds(startedMs)}`);
  return failed === 0;
}

function seconds(sinceMs: number): string {
  return `${((Date.now() - sinceMs) / 1_000).toFixed(1)} s`;
}
