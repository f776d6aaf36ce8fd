import { forgeryKinds } from '../../../../tools/conformance/forgeries.ts';
import type { Steps } from '../reference.ts';

/** A receiver that is right but for one mistake, and the checks that must fail because of it: these and no other. */
export type Flaw = {
  readonly name: string;
  /** The steps that are wrong, made anew for each receiver. */
  readonly steps: () => Partial<Steps>;
  readonly maxConnections?: number;
  readonly caughtBy: readonly string[];
};

/** What fails, besides the check of its kind, when a forgery is accepted. */
export const keepsForgeries = ['records nothing of what it refuses', 'queues nothing of what it refuses'] as const;

/** The checks of all kinds of forgery but these. */
export function forgeryChecks(...exceptions: readonly string[]): readonly string[] {
  return forgeryKinds.filter((kind) => !exceptions.includes(kind)).map((kind) => `refuses ${kind}`);
}
