import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { stages } from '../aws/secret-versions.ts';
import { subscriptionRuntime } from '../aws/subscription-runtime.ts';
import type { Telemetry } from '../aws/telemetry.ts';
import { rotationMetrics } from '../domain/metric-names.ts';
import { fits } from '../domain/subscription.ts';
import { completeVersion, listOwn, type RotationDependencies, subscribePending } from './rotate-secret.ts';

/** What the entry needs from outside; `newSecret` gives another one each time, `stepMs` bounds one step. */
export type RotationEntryDependencies = RotationDependencies & {
  readonly newSecret: () => string;
  readonly telemetry: Telemetry;
  readonly stepMs: number;
};

/** Of the function's 15 minutes. A step takes about 2: the longest wait, and what AWS and Argyle take. */
export const rotationStepMs = 14 * 60_000;

/**
 * Rotates the webhook secret in Secrets Manager's four steps, such that at no moment a delivery is refused. Each step may
 * be interrupted anywhere and repeated; what it threw is logged here, without the payload that its text may quote.
 */
export function createRotation(deps: RotationEntryDependencies) {
  // called by Secrets Manager, one step at a time
  return async ({ Step, ClientRequestToken }: SecretsManagerRotationEvent): Promise<void> => {
    try {
      await steps[Step](deps, ClientRequestToken, AbortSignal.timeout(deps.stepMs));
    } catch (error) {
      deps.telemetry.error('rotation_failed', error, { step: Step, version: ClientRequestToken });
      deps.telemetry.measure({ [rotationMetrics.failed]: 1 }, { step: Step });
      throw new Error(`The rotation stopped in ${Step}: the log line rotation_failed says why.`);
    }
  };
}

type Step = (deps: RotationEntryDependencies, id: string, whole: AbortSignal) => Promise<void>;

const steps: Readonly<Record<SecretsManagerRotationEvent['Step'], Step>> = {
  createSecret: async (deps, id, whole) => {
    const interrupted = await deps.versions.read({ stage: stages.pending }, whole);
    // Completed, not withdrawn: a delivery that it signed may still be on its way.
    if (interrupted && interrupted.id !== id) await completeVersion(deps, interrupted.id, whole);
    const own = await deps.versions.read({ id }, whole);
    if (!own) await deps.versions.putPending(id, deps.newSecret(), whole);
    else if (!own.stages.some((stage) => stage === stages.pending || stage === stages.current))
      await deps.versions.moveStage(stages.pending, { to: id }, whole);
  },
  setSecret: subscribePending,
  // Secrets Manager calls this step alone when a schedule is made, with a version that it takes away again: nothing is
  // signed with that one. What a real rotation lacks here, its last step makes good.
  testSecret: async (deps, id, whole) => {
    const version = await deps.versions.read({ id }, whole);
    if (!version) return;
    const signed = (await listOwn(deps, whole)).flat().filter(({ secret }) => secret === version.value);
    if (signed.length > 0 && !signed.some((subscription) => fits(subscription, version.value)))
      throw new Error('The new subscription does not report the events of the catalogue.');
  },
  finishSecret: completeVersion,
};

// once per cold start
function runtimeDependencies(): RotationEntryDependencies {
  return {
    ...subscriptionRuntime(),
    // 32 random bytes in 64 characters.
    newSecret: () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex'),
    stepMs: rotationStepMs,
  };
}

export const handler = createRotation(runtimeDependencies());
