import type { DeployedStack } from './deployed-stack.ts';
import type { Patch } from './patched-assembly.ts';
import { batchRights, secretPunctuation, secretRef } from './rights-workarounds.ts';
import { pointInTimeRecovery, timeToLive } from './table-workarounds.ts';
import type { Workaround } from './workaround.ts';

/** Everything that is known to be wrong; the run fails once one of them is not needed any more. */
export const workarounds: readonly Workaround[] = [
  secretRef,
  secretPunctuation,
  batchRights,
  timeToLive,
  pointInTimeRecovery,
];

/** What all of them change in a template. */
export const patches: readonly Patch[] = workarounds.flatMap(({ patch }) => patch ?? []);

/** Mends a stack that was just created, and gives it back. */
export async function mended(created: DeployedStack): Promise<DeployedStack> {
  for (const { mend } of workarounds) await mend?.(created);
  return created;
}

/** Names the work-arounds that MiniStack does not need any more. */
export async function unneeded(untouched: DeployedStack): Promise<readonly string[]> {
  const needed = await Promise.all(workarounds.map(({ isNeeded }) => isNeeded(untouched)));
  return workarounds.filter((_, index) => !needed[index]).map(({ name }) => name);
}
