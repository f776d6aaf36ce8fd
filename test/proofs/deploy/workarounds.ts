import type { DeployedStack } from './deployed-stack.ts';
import type { Patch } from './patched-assembly.ts';
import { batchRights, secretPunctuation, secretRef } from './rights-workarounds.ts';
import { pointInTimeRecovery, timeToLive } from './table-workarounds.ts';

/** Something that MiniStack does otherwise than AWS, and how the run gets by. */
export type Workaround = {
  readonly name: string;
  /** The version and the day at which it was seen. */
  readonly seen: string;
  readonly wrong: string;
  /** What is deployed instead of the product's template: on AWS it would mean the same. */
  readonly patch?: Patch;
  /** Does what a deployment left out, so that whatever follows finds what it would find on AWS. */
  readonly mend?: (created: DeployedStack) => Promise<unknown>;
  /** Whether MiniStack is still wrong, asked of a stack that was created without any work-around. */
  readonly isNeeded: (untouched: DeployedStack) => Promise<boolean>;
};

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
