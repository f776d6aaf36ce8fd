import { isDeepStrictEqual } from 'node:util';
import type { Faults } from '../../../tools/fake-argyle/faults.ts';
import type { Connected } from '../connected-pipeline.ts';
import { noDeliveries } from './fault-schedule.ts';

const misleading: Readonly<Record<string, Faults>> = {
  'a key of an empty workspace': { otherWorkspace: { uploads: 0, seed: 1 } },
  'a key of a large workspace': { otherWorkspace: { uploads: 2_600, seed: 1 } },
  'lists that start again': { cyclingLists: true },
};

/** Runs reconciliation twice against each misleading Argyle. Each run must fail, and no record may change. */
export async function misleadReconciliation({ pipeline, argyle }: Connected): Promise<readonly string[]> {
  const [schedule] = pipeline.schedules.values();
  const errors: string[] = [];
  const before = await pipeline.readRecords();
  for (const [what, faults] of Object.entries(misleading)) {
    await argyle.setFaults({ ...noDeliveries, ...faults });
    for (const time of ['first', 'second']) {
      const hasFailed = await schedule?.lambda.invoke({}).then(
        () => false,
        () => true,
      );
      if (!hasFailed) errors.push(`the ${time} reconciliation with ${what} did not fail`);
    }
    await pipeline.drained();
    const after = await pipeline.readRecords();
    if (!isDeepStrictEqual(after, before)) errors.push(`reconciliation with ${what} changed the records`);
  }
  await argyle.setFaults(noDeliveries);
  return errors;
}
