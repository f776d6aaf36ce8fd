import { fits, planSubscriptions, type SubscriptionKey } from '../domain/subscription.ts';
import { retryWhileUnavailable, type Sleep } from './retry.ts';
import type { Webhooks } from './webhooks.ts';

export type ConvergenceDependencies = { readonly webhooks: Webhooks; readonly sleep: Sleep };

/** The number of subscriptions that were created and removed. */
export type Changes = { readonly created: number; readonly removed: number };

/**
 * Ensures that one of our subscriptions fits an accepted secret, and removes those that fit none or duplicate another one.
 * Creates before it removes, so that there is always a subscription. The caller must have the lease.
 * @param secrets the accepted secrets; a new subscription is signed with the first
 */
export async function convergeSubscriptions(
  { webhooks, sleep }: ConvergenceDependencies,
  key: SubscriptionKey,
  secrets: readonly [string, ...string[]],
  signal: AbortSignal,
): Promise<Changes> {
  const changes = { created: 0, removed: 0 };
  const work = async () => {
    const { create, remove } = planSubscriptions(await webhooks.listOwn(key, signal), secrets);
    if (create !== undefined) {
      await webhooks.create(key, create, signal);
      changes.created += 1;
    }
    for (const id of remove) {
      await webhooks.remove(id, signal);
      changes.removed += 1;
    }
  };
  await retryWhileUnavailable(work, { sleep, signal });
  return changes;
}

/** Ensures that one of our subscriptions is signed with the secret, and keeps the others. The caller must have the lease. */
export async function addSubscription(
  { webhooks, sleep }: ConvergenceDependencies,
  key: SubscriptionKey,
  secret: string,
  signal: AbortSignal,
): Promise<void> {
  const work = async () => {
    const own = await webhooks.listOwn(key, signal);
    if (!own.some((subscription) => fits(subscription, secret))) await webhooks.create(key, secret, signal);
  };
  await retryWhileUnavailable(work, { sleep, signal });
}

/** Removes all our subscriptions. The caller must have the lease. */
export async function removeSubscriptions(
  { webhooks, sleep }: ConvergenceDependencies,
  key: SubscriptionKey,
  signal: AbortSignal,
): Promise<void> {
  const work = async () => {
    for (const { id } of await webhooks.listOwn(key, signal)) await webhooks.remove(id, signal);
  };
  await retryWhileUnavailable(work, { sleep, signal });
}
