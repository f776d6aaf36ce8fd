import { applyPlan } from '../argyle/webhooks.ts';
import { type SecretVersion, type SecretVersions, stages } from '../aws/secret-versions.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import { newVersionSeenMs, stagesReadMs } from '../domain/secret-cache-times.ts';
import { planAddition, planSubscriptions, type Subscription, type SubscriptionPlan } from '../domain/subscription.ts';
import { type Proof, type ProofDependencies, provenPlan, withProof } from './prove-key.ts';

export type RotationDependencies = ProofDependencies & { readonly versions: SecretVersions };

// Argyle's delivery time-out and retry delay, from two third-party sources. Argyle retries a delivery once.
const deliveryTimeoutMs = 10_000;
const deliveryRetryDelayMs = 30_000;
const marginMs = 10_000;

// After this time no delivery of a removed subscription arrives any more.
const lastDeliveryMs = 2 * deliveryTimeoutMs + deliveryRetryDelayMs + marginMs;

/**
 * Ensures that each of our URLs and names has a subscription that is signed with the pending version. Before it subscribes, it
 * waits until no instance of ingest refuses it. The wait starts now and not at the version's creation date, because Secrets
 * Manager creates a version before the version has a value.
 */
export async function subscribePending(deps: RotationDependencies, id: string, deadline: AbortSignal): Promise<void> {
  const { value } = await readLive(deps, id, deadline);
  const isSubscribed = async ({ subscriptions }: Proof) =>
    subscriptions.every(({ own }) => own.some(({ secret }) => secret === value));
  if (await withProof(deps, isSubscribed, deadline)) return;
  await deps.sleep(newVersionSeenMs, deadline);
  const add = async (proof: Proof, signal: AbortSignal) => {
    // The version may have been withdrawn during the wait.
    await readLive(deps, id, signal);
    await applyToAll(deps, proof, (own) => planAddition(own, value), signal);
  };
  await withProof(deps, add, deadline);
}

/**
 * Makes a pending version the current one. Creates a subscription with it and removes our other subscriptions, then waits until
 * their last deliveries have arrived, and only then moves the stages.
 */
export async function completeVersion(deps: RotationDependencies, id: string, deadline: AbortSignal): Promise<void> {
  const { value, stages: versionStages } = await readLive(deps, id, deadline);
  if (!versionStages.includes(stages.current)) {
    await subscribePending(deps, id, deadline);
    await withProof(deps, (proof, signal) => keepOnly(deps, proof, value, signal), deadline);
    // A deployment may change the subscription while the lease is free. The wait then starts again.
    do await deps.sleep(lastDeliveryMs, deadline);
    while (!(await withProof(deps, (proof, signal) => promoteIfAlone(deps, proof, id, signal), deadline)));
  } else if (!versionStages.includes(stages.pending)) return;
  await deps.sleep(stagesReadMs, deadline);
  await withProof(deps, (_, signal) => withdraw(deps, id, signal), deadline);
}

async function readLive(deps: RotationDependencies, id: string, signal: AbortSignal): Promise<SecretVersion> {
  const version = await deps.versions.read({ id }, signal);
  if (version?.stages.some((stage) => stage === stages.pending || stage === stages.current)) return version;
  throw new LoggableError('The new version of the webhook secret is not pending any more: start another rotation.');
}

// Keeps only one subscription, signed with this secret, for each URL and name. Returns whether nothing had to be changed.
async function keepOnly(
  deps: RotationDependencies,
  proof: Proof,
  secret: string,
  signal: AbortSignal,
): Promise<boolean> {
  return (await applyToAll(deps, proof, (own) => planSubscriptions(own, [secret]), signal)) === 0;
}

async function applyToAll(
  deps: RotationDependencies,
  proof: Proof,
  planFor: (own: readonly Subscription[]) => SubscriptionPlan,
  signal: AbortSignal,
): Promise<number> {
  let changes = 0;
  for (const { key } of proof.subscriptions) changes += await applyPlan(deps, key, provenPlan(proof, planFor), signal);
  return changes;
}

async function promoteIfAlone(
  deps: RotationDependencies,
  proof: Proof,
  id: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { value, stages: versionStages } = await readLive(deps, id, signal);
  if (versionStages.includes(stages.current)) return true;
  if (!(await keepOnly(deps, proof, value, signal))) return false;
  // `versionIdOf` also finds a binary value, which no subscription can be signed with and which must be replaced as well.
  const current = await deps.versions.versionIdOf(stages.current, signal);
  await deps.versions.moveStage(stages.current, { to: id, ...(current && { from: current }) }, signal);
  return true;
}

async function withdraw({ versions }: RotationDependencies, id: string, signal: AbortSignal): Promise<void> {
  const version = await versions.read({ id }, signal);
  if (version?.stages.includes(stages.pending)) await versions.moveStage(stages.pending, { from: id }, signal);
}
