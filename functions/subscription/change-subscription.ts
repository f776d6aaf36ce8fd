import {
  type ConvergenceDependencies,
  convergeSubscriptions,
  removeSubscriptions,
} from '../argyle/converge-subscriptions.ts';
import { retryWhileUnavailable } from '../argyle/retry.ts';
import type { WithLease } from '../aws/lease.ts';
import { type SecretVersions, stages } from '../aws/secret-versions.ts';
import type { SubscriptionRegistryStore } from '../aws/subscription-registry-store.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import type { SubscriptionKey } from '../domain/subscription.ts';
import {
  forgetSubscription,
  keyOf,
  physicalIdOf,
  rememberSubscription,
  type SubscriptionRegistry,
  straysIn,
} from '../domain/subscription-registry.ts';

/** What a change of the subscription needs from outside. */
export type ChangeDependencies = ConvergenceDependencies & {
  readonly versions: Pick<SecretVersions, 'read'>;
  readonly memory: SubscriptionRegistryStore;
  readonly withLease: WithLease;
  readonly isRollingBack: (stackId: string, signal: AbortSignal) => Promise<boolean>;
};

/**
 * Subscribes the stack: adopts the own subscription that fits, or makes one and removes the own ones that do not. A
 * rotation may be under way: the pending secret fits as well. Cleans up what an earlier, failed change left behind.
 * @param before the physical id that CloudFormation knows, which is its business to remove
 * @param onBegin called once before anything is changed at Argyle
 */
export async function subscribe(
  dependencies: ChangeDependencies,
  key: SubscriptionKey,
  before: string | undefined,
  onBegin: () => void,
  whole: AbortSignal,
): Promise<void> {
  const { webhooks, versions, memory, sleep, withLease } = dependencies;
  const id = physicalIdOf(key);
  await withLease(async (signal) => {
    const own = await retryWhileUnavailable(() => webhooks.listOwn(key, signal), sleep, signal);
    onBegin();
    const found = own.length > 0 ? 'adopted' : 'created';
    let remembered = rememberSubscription(await memory.read(signal), id, found);
    await memory.write(remembered, signal);
    await convergeSubscriptions(dependencies, key, await acceptedSecrets(versions, signal), signal);
    for (const stray of straysIn(remembered, [id, ...(before ? [before] : [])])) {
      remembered = await removeOne(dependencies, remembered, stray, signal);
    }
  }, whole);
}

/**
 * Unsubscribes the stack: removes all own subscriptions of a physical id. Leaves one that was there before the stack
 * while the stack goes back to what it was. Does nothing for the id of a resource that was never made.
 */
export async function unsubscribe(
  dependencies: ChangeDependencies,
  physicalId: string,
  stackId: string,
  whole: AbortSignal,
): Promise<void> {
  if (!keyOf(physicalId)) return;
  await dependencies.withLease(async (signal) => {
    const remembered = await dependencies.memory.read(signal);
    const isOurs = remembered[physicalId] === 'created';
    if (!isOurs && (await dependencies.isRollingBack(stackId, signal)))
      await dependencies.memory.write(forgetSubscription(remembered, physicalId), signal);
    else await removeOne(dependencies, remembered, physicalId, signal);
  }, whole);
}

async function removeOne(
  dependencies: ChangeDependencies,
  remembered: SubscriptionRegistry,
  physicalId: string,
  signal: AbortSignal,
): Promise<SubscriptionRegistry> {
  const key = keyOf(physicalId);
  if (key) await removeSubscriptions(dependencies, key, signal);
  const forgotten = forgetSubscription(remembered, physicalId);
  await dependencies.memory.write(forgotten, signal);
  return forgotten;
}

// Under the lease nothing moves a stage, so the two readings belong together.
async function acceptedSecrets(
  versions: Pick<SecretVersions, 'read'>,
  signal: AbortSignal,
): Promise<readonly [string, ...string[]]> {
  const current = await versions.read({ stage: stages.current }, signal);
  if (!current) throw new LoggableError('The webhook secret has no current value: put one into it, then deploy again.');
  const pending = await versions.read({ stage: stages.pending }, signal);
  return pending ? [current.value, pending.value] : [current.value];
}
