import { fits, planSubscriptions, type SubscriptionKey } from '../domain/subscription.ts';
import { retryWhileUnavailable, type Sleep } from './retry.ts';
import type { Webhooks } from './webhooks.ts';

/** What convergence needs from outside. */
export type ConvergenceDependencies = { readonly webhooks: Webhooks; readonly sleep: Sleep };

/** What was done at Argyle. */
export type Changes = { readonly created: number; readonly removed: number };

/**
 * Makes the own subscriptions fit: one that is signed with any of the secrets, no other. Creates before it removes, so
 * that at every moment there is one; asks Argyle again, from the beginning, while it is unavailable. Holds the lease.
 * @param secrets the one to sign a new subscription with first
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
  await retryWhileUnavailable(work, sleep, signal);
  return changes;
}

/** Has an own subscription signed with the secret, beside those that there are. Holds the lease. */
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
  await retryWhileUnavailable(work, sleep, signal);
}

/** Removes all own subscriptions. Holds the lease. */
export async function removeSubscriptions(
  { webhooks, sleep }: ConvergenceDependencies,
  key: SubscriptionKey,
  signal: AbortSignal,
): Promise<void> {
  const work = async () => {
    for (const { id } of await webhooks.listOwn(key, signal)) await webhooks.remove(id, signal);
  };
  await retryWhileUnavailable(work, sleep, signal);
}
