/** Runs the steps of a check one after the other and says how each went. */
export type Steps = ReturnType<typeof createSteps>;

/** A step has failed and was reported; what depended on it is left out. */
export class StepFailed extends Error {}

/** Starts counting. */
export function createSteps() {
  const startedMs = Date.now();
  let passed = 0;
  let failed = 0;
  return {
    /** Gives what the work gives; prints `ok` or `FAILED` with the reason, and throws a StepFailed then. */
    step: async <Result>(name: string, work: () => Promise<Result>): Promise<Result> => {
      const stepStartedMs = Date.now();
      try {
        const result = await work();
        passed += 1;
        console.log(`ok   ${name} (${seconds(stepStartedMs)})`);
        return result;
      } catch (error) {
        failed += 1;
        console.error(
          `FAILED ${name} (${seconds(stepStartedMs)})\n${indent(String((error as Error)?.message ?? error))}`,
        );
        throw new StepFailed(name, { cause: error });
      }
    },
    /** One line about all of it. */
    summary: () => `${passed} steps passed, ${failed} failed in ${seconds(startedMs)}`,
    hasFailed: () => failed > 0,
  };
}

function seconds(sinceMs: number): string {
  return `${((Date.now() - sinceMs) / 1_000).toFixed(1)} s`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '     ');
}
