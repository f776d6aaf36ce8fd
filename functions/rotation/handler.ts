import type { SecretsManagerRotationEvent } from 'aws-lambda';
import { limitCreations } from '../argyle/webhooks.ts';
import { leasedWorkMs } from '../aws/lease.ts';
import { stages } from '../aws/secret-versions.ts';
import { subscriptionRuntime } from '../aws/subscription-runtime.ts';
import type { Telemetry } from '../aws/telemetry.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import { fits } from '../domain/subscription.ts';
import { listOwn, withProof } from './prove-key.ts';
import { completeVersion, type RotationDependencies, subscribePending } from './rotate-secret.ts';

export type RotationEntryDependencies = RotationDependencies & {
  /** Returns a different secret each time. */
  readonly newSecret: () => string;
  readonly telemetry: Telemetry;
  /** The time limit of one step. */
  readonly stepMs: number;
};

/** Time budget out of the function's 15 minutes. A step waits about 2 minutes, or over 3 when it completes an interrupted rotation. */
export const rotationStepMs = 14 * 60_000;

/**
 * Creates the handler that rotates the webhook secret in Secrets Manager's four steps, so that ingest refuses no delivery. Each
 * step is idempotent and may be interrupted at any point. Errors are logged here and replaced by another error, because Lambda
 * logs the message of every error, and the original one may contain payload.
 */
export function createRotation(deps: RotationEntryDependencies) {
  // called by Secrets Manager, one step at a time
  return async ({ Step, ClientRequestToken }: SecretsManagerRotationEvent): Promise<void> => {
    try {
      const limited = { ...deps, webhooks: limitCreations(deps.webhooks) };
      await steps[Step](limited, ClientRequestToken, AbortSignal.timeout(deps.stepMs));
    } catch (error) {
      deps.telemetry.error('rotation_failed', error, { step: Step, version: ClientRequestToken });
      throw new Error(`The rotation stopped in ${Step}: see the log line rotation_failed for the cause.`);
    }
  };
}

type Step = (deps: RotationEntryDependencies, id: string, deadline: AbortSignal) => Promise<void>;

const steps: Readonly<Record<SecretsManagerRotationEvent['Step'], Step>> = {
  createSecret: async (deps, id, deadline) => {
    const interrupted = await deps.versions.read({ stage: stages.pending }, deadline);
    // An interrupted rotation is completed, not withdrawn: a delivery signed with its version may still arrive.
    if (interrupted && interrupted.id !== id) await completeVersion(deps, interrupted.id, deadline);
    await withProof(deps, (_, signal) => putPending(deps, id, signal), deadline);
  },
  setSecret: subscribePending,
  // When a schedule is created, Secrets Manager calls this step alone, with a version that it deletes afterwards: no subscription
  // may be signed with it. If the subscription of a real rotation is missing here, the last step creates it.
  testSecret: async (deps, id, deadline) => {
    const version = await deps.versions.read({ id }, deadline);
    if (!version) return;
    const signal = AbortSignal.any([deadline, AbortSignal.timeout(leasedWorkMs)]);
    const own = (await listOwn(deps, signal)).flatMap((subscriptions) => subscriptions.own);
    const signed = own.filter(({ secret }) => secret === version.value);
    if (signed.length > 0 && !signed.some((subscription) => fits(subscription, version.value)))
      throw new LoggableError('The new subscription does not list the events of the catalogue.');
  },
  finishSecret: completeVersion,
};

async function putPending(deps: RotationEntryDependencies, id: string, signal: AbortSignal): Promise<void> {
  const own = await deps.versions.read({ id }, signal);
  if (!own) await deps.versions.putPending(id, deps.newSecret(), signal);
  else if (!own.stages.some((stage) => stage === stages.pending || stage === stages.current))
    await deps.versions.moveStage(stages.pending, { to: id }, signal);
}

/** Returns 32 random bytes as 64 hexadecimal digits. */
export function createNewSecret(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex');
}

// once per cold start
function runtimeDependencies(): RotationEntryDependencies {
  return {
    ...subscriptionRuntime(),
    newSecret: createNewSecret,
    stepMs: rotationStepMs,
  };
}

export const handler = createRotation(runtimeDependencies());
