import type { DeployedStack } from './deployed-stack.ts';
import type { Patch } from './patched-assembly.ts';

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
