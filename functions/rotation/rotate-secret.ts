import { retryWhileUnavailable } from '../argyle/retry.ts';
import { applyPlan, type WebhooksDependencies } from '../argyle/webhooks.ts';
import { leasedWorkMs, type WithLease } from '../aws/lease.ts';
import { type SecretVersion, type SecretVersions, stages } from '../aws/secret-versions.ts';
import type { SubscriptionRegistryStore } from '../aws/subscription-registry-store.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import { newVersionSeenMs, stagesReadMs } from '../domain/secret-cache-times.ts';
import { planAddition, planSubscriptions, type Subscription, type SubscriptionKey } from '../domain/subscription.ts';
import { keysIn } from '../domain/subscription-registry.ts';

export type RotationDependencies = WebhooksDependencies & {
  readonly versions: SecretVersions;
  readonly registry: Pick<SubscriptionRegistryStore, 'read'>;
  readonly withLease: WithLease;
};

// Argyle's delivery time-out and retry delay, from two third-party sources. Argyle retries a delivery once.
const deliveryTimeoutMs = 10_000;
const deliveryRetryDelayMs = 30_000;
const marginMs = 10_000;

// After this time no delivery of a removed subscription arrives any more.
const lastDeliveryMs = 2 * deliveryTimeoutMs + deliveryRetryDelayMs + marginMs;

/**
 * Ensures that each of our URLs and names has a subscription that is signed with the pending version. Before it subscribes, it
 * waits until no ingest refuses the version. The wait starts now and not at the version's creation date, because Secrets
 * Manager creates a version before the version has a value.
 */
export async function subscribePending(deps: RotationDependencies, id: string, deadline: AbortSignal): Promise<void> {
  const { value } = await readLive(deps, id, deadline);
  const lists = await listOwn(deps, deadline);
  if (lists.every((own) => own.some(({ secret }) => secret === value))) return;
  await deps.sleep(newVersionSeenMs, deadline);
  await deps.withLease(async (signal) => {
    // The version may have been withdrawn during the wait.
    await readLive(deps, id, signal);
    for (const key of await readKeys(deps, signal))
      await applyPlan(deps, key, (own) => planAddition(own, value), signal);
  }, deadline);
}

/**
 * Makes a pending version the current one. Creates a subscription with it and removes our other subscriptions, then waits until
 * their last deliveries have arrived, and only then moves the stages.
 */
export async function completeVersion(deps: RotationDependencies, id: string, deadline: AbortSignal): Promise<void> {
  const { value, stages: versionStages } = await readLive(deps, id, deadline);
  if (!versionStages.includes(stages.current)) {
    await subscribePending(deps, id, deadline);
    await deps.withLease((signal) => keepOnly(deps, value, signal), deadline);
    // A deployment may change the subscription while the lease is free. The wait then starts again.
    do await deps.sleep(lastDeliveryMs, deadline);
    while (!(await deps.withLease((signal) => promoteIfAlone(deps, id, signal), deadline)));
  } else if (!versionStages.includes(stages.pending)) return;
  await deps.sleep(stagesReadMs, deadline);
  await deps.withLease((signal) => withdraw(deps, id, signal), deadline);
}

/** Lists our subscriptions of each URL and name. It only reads, so it takes no lease. */
export async function listOwn(
  deps: RotationDependencies,
  deadline: AbortSignal,
): Promise<readonly (readonly Subscription[])[]> {
  const signal = AbortSignal.any([deadline, AbortSignal.timeout(leasedWorkMs)]);
  const list = async () => {
    const lists = [];
    for (const key of await readKeys(deps, signal)) lists.push(await deps.webhooks.listOwn(key, signal));
    return lists;
  };
  return retryWhileUnavailable(list, { sleep: deps.sleep, signal });
}

// Reads the registry and not the environment: a deployment may have changed or removed the subscription since this step began.
async function readKeys({ registry }: RotationDependencies, signal: AbortSignal): Promise<readonly SubscriptionKey[]> {
  const keys = keysIn(await registry.read(signal));
  if (keys.length > 0) return keys;
  throw new LoggableError('The stack has no subscription whose secret could be rotated: deploy the stack again.');
}

async function readLive(deps: RotationDependencies, id: string, signal: AbortSignal): Promise<SecretVersion> {
  const version = await deps.versions.read({ id }, signal);
  if (version?.stages.some((stage) => stage === stages.pending || stage === stages.current)) return version;
  throw new LoggableError('The new version of the webhook secret is not pending any more: start another rotation.');
}

// Keeps only one subscription, signed with this secret, for each URL and name. Returns whether nothing had to be changed.
async function keepOnly(deps: RotationDependencies, secret: string, signal: AbortSignal): Promise<boolean> {
  let changes = 0;
  for (const key of await readKeys(deps, signal))
    changes += await applyPlan(deps, key, (own) => planSubscriptions(own, [secret]), signal);
  return changes === 0;
}

async function promoteIfAlone(deps: RotationDependencies, id: string, signal: AbortSignal): Promise<boolean> {
  const { value, stages: versionStages } = await readLive(deps, id, signal);
  if (versionStages.includes(stages.current)) return true;
  if (!(await keepOnly(deps, value, signal))) return false;
  // `versionIdOf` also finds a binary value, which no subscription can be signed with and which must be replaced as well.
  const current = await deps.versions.versionIdOf(stages.current, signal);
  await deps.versions.moveStage(stages.current, { to: id, ...(current && { from: current }) }, signal);
  return true;
}

async function withdraw({ versions }: RotationDependencies, id: string, signal: AbortSignal): Promise<void> {
  const version = await versions.read({ id }, signal);
  if (version?.stages.includes(stages.pending)) await versions.moveStage(stages.pending, { from: id }, signal);
}
