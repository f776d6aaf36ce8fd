import type { ReadStage, StageValue } from '../../../functions/ingest/webhook-secrets.ts';

type Stage = Parameters<ReadStage>[0];

/** How Secrets Manager answers: after a delay, with an error if it fails, or never. */
export type Behaviour = { readonly delayMs: number; readonly fails?: boolean };

export const healthy: Behaviour = { delayMs: 5 };
export const never = Number.POSITIVE_INFINITY;

/** The stages of a secret, with a behaviour that can be changed, and the reads of each stage. Its times are those of `Date.now`. */
export function createFakeStages() {
  const values = new Map<Stage, StageValue>();
  const behaviours = new Map<Stage, Behaviour>();
  const reads: { readonly stage: Stage; readonly atMs: number }[] = [];
  const behave = (behaviour: Behaviour, ...stages: readonly Stage[]) => {
    const affected = stages.length > 0 ? stages : (['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'] as const);
    for (const stage of affected) behaviours.set(stage, behaviour);
  };
  const readStage: ReadStage = async (stage, abortSignal) => {
    abortSignal.throwIfAborted();
    reads.push({ stage, atMs: Date.now() });
    const { delayMs, fails } = behaviours.get(stage) ?? healthy;
    await after(delayMs, abortSignal);
    if (fails) throw new Error(`${stage} cannot be read`);
    return values.get(stage);
  };
  return {
    readStage,
    put: (stage: Stage, secret: string, createdAtMs = Date.now()) => values.set(stage, { secret, createdAtMs }),
    remove: (stage: Stage) => values.delete(stage),
    /** Changes how reads of these stages, or of all, are answered from now on. */
    behave,
    /** The number of reads of a stage since the last call of `forget`. */
    reads: (stage: Stage) => reads.filter((read) => read.stage === stage).length,
    forget: () => reads.splice(0),
  };
}

/** Resolves after a delay, or never. Rejects when the signal aborts. Uses the global timer, which Vitest can replace. */
export function after(delayMs: number, abortSignal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    abortSignal?.addEventListener('abort', () => reject(abortSignal.reason), { once: true });
    if (delayMs !== never) setTimeout(resolve, delayMs);
  });
}
