import { retryWhileUnavailable } from '../argyle/retry.ts';
import { applyPlan, type WebhooksDependencies } from '../argyle/webhooks.ts';
import type { WithLease } from '../aws/lease.ts';
import { type SecretVersions, stages } from '../aws/secret-versions.ts';
import type { SubscriptionRegistryStore } from '../aws/subscription-registry-store.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import { planRemoval, planSubscriptions, type SubscriptionKey } from '../domain/subscription.ts';
import {
  forgetSubscription,
  keyOf,
  orphansIn,
  physicalIdOf,
  rememberSubscription,
  type SubscriptionRegistry,
} from '../domain/subscription-registry.ts';

export type ChangeDependencies = WebhooksDependencies & {
  readonly versions: Pick<SecretVersions, 'read'>;
  readonly registry: SubscriptionRegistryStore;
  readonly withLease: WithLease;
  readonly isRollingBack: (stackId: string, signal: AbortSignal) => Promise<boolean>;
};

/**
 * Subscribes the stack: keeps an existing subscription that fits, or creates one, and removes those that do not fit. During a
 * rotation, a subscription signed with the pending secret fits as well. Also removes subscriptions that an earlier, failed change
 * created.
 * @param previousId the physical id that CloudFormation knows; CloudFormation itself removes that subscription
 * @param onChange called once, before the first change at Argyle
 */
export async function subscribe(
  dependencies: ChangeDependencies,
  key: SubscriptionKey,
  previousId: string | undefined,
  onChange: () => void,
  deadline: AbortSignal,
): Promise<void> {
  const { webhooks, versions, registry, sleep, withLease } = dependencies;
  const id = physicalIdOf(key);
  await withLease(async (signal) => {
    const own = await retryWhileUnavailable(() => webhooks.listOwn(key, signal), { sleep, signal });
    onChange();
    const origin = own.length > 0 ? 'adopted' : 'created';
    let registered = rememberSubscription(await registry.read(signal), id, origin);
    await registry.write(registered, signal);
    const secrets = await acceptedSecrets(versions, signal);
    await applyPlan(dependencies, key, (existing) => planSubscriptions(existing, secrets), signal);
    for (const orphan of orphansIn(registered, [id, ...(previousId ? [previousId] : [])])) {
      registered = await removeOne(dependencies, registered, orphan, signal);
    }
  }, deadline);
}

/**
 * Removes all our subscriptions of a physical id. During a rollback, a subscription that existed before the stack is kept. Does
 * nothing for the id of a resource that was never created.
 */
export async function unsubscribe(
  dependencies: ChangeDependencies,
  physicalId: string,
  stackId: string,
  deadline: AbortSignal,
): Promise<void> {
  if (!keyOf(physicalId)) return;
  const { registry, isRollingBack, withLease } = dependencies;
  await withLease(async (signal) => {
    const registered = await registry.read(signal);
    const isCreatedByStack = registered[physicalId] === 'created';
    if (!isCreatedByStack && (await isRollingBack(stackId, signal)))
      await registry.write(forgetSubscription(registered, physicalId), signal);
    else await removeOne(dependencies, registered, physicalId, signal);
  }, deadline);
}

async function removeOne(
  dependencies: ChangeDependencies,
  registered: SubscriptionRegistry,
  physicalId: string,
  signal: AbortSignal,
): Promise<SubscriptionRegistry> {
  const key = keyOf(physicalId);
  if (key) await applyPlan(dependencies, key, planRemoval, signal);
  const remaining = forgetSubscription(registered, physicalId);
  await dependencies.registry.write(remaining, signal);
  return remaining;
}

// No stage moves between the two reads, because stages are moved only under the lease.
async function acceptedSecrets(
  versions: Pick<SecretVersions, 'read'>,
  signal: AbortSignal,
): Promise<readonly [string, ...string[]]> {
  const current = await versions.read({ stage: stages.current }, signal);
  if (!current) throw new LoggableError('The webhook secret has no current value: set one, then deploy again.');
  const pending = await versions.read({ stage: stages.pending }, signal);
  return pending ? [current.value, pending.value] : [current.value];
}
