import { retryWhileUnavailable } from '../argyle/retry.ts';
import { applyPlan, type WebhooksDependencies } from '../argyle/webhooks.ts';
import type { WithLease } from '../aws/lease.ts';
import { type SecretVersions, stages } from '../aws/secret-versions.ts';
import type { SubscriptionRegistryStore } from '../aws/subscription-registry-store.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import {
  planRemoval,
  planSubscriptions,
  provesOurKey,
  type SubscriptionKey,
  unprovenKey,
} from '../domain/subscription.ts';
import {
  forgetSubscription,
  keyOf,
  keysIn,
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

/** A change of the subscription that CloudFormation requests. */
export type SubscriptionChange = {
  readonly key: SubscriptionKey;
  /** The physical id that CloudFormation knows, if any. CloudFormation itself removes that subscription. */
  readonly previousId: string | undefined;
  readonly stackId: string;
  /** Called once, before the first change at Argyle. */
  readonly onChange: () => void;
};

/**
 * Subscribes the stack: keeps an existing subscription that fits, or creates one, and removes those that do not fit. During a
 * rotation, a subscription signed with the pending secret fits as well. Also removes subscriptions that an earlier, failed change
 * created. An Update throws and changes nothing unless the previous subscription proves that the API key is ours. A first creation
 * cannot be proved.
 */
export async function subscribe(
  dependencies: ChangeDependencies,
  { key, previousId, stackId, onChange }: SubscriptionChange,
  deadline: AbortSignal,
): Promise<void> {
  const { versions, registry, withLease } = dependencies;
  const id = physicalIdOf(key);
  await withLease(async (signal) => {
    const registered = await registry.read(signal);
    const secrets = await readAcceptedSecrets(versions, signal);
    const known = previousId === undefined ? [id] : [id, previousId];
    const previousKey = keyOf(previousId ?? '');
    if (previousKey && !provesOurKey(await listOwn(dependencies, previousKey, signal), secrets)) {
      // CloudFormation rolls a refused Update back with another Update, which has nothing to restore.
      if (orphansIn(registered, known).length === 0 && (await dependencies.isRollingBack(stackId, signal))) return;
      throw new LoggableError(unprovenKey);
    }
    let remaining = await register(dependencies, registered, key, onChange, signal);
    await applyPlan(dependencies, key, (own) => planSubscriptions(own, secrets), signal);
    for (const orphan of orphansIn(remaining, known))
      remaining = await removeOne(dependencies, remaining, orphan, signal);
  }, deadline);
}

/**
 * Re-creates the subscriptions of the registry that were deleted or changed at Argyle. If the registry is empty, it first registers
 * `key`. Returns the number of changes at Argyle. Nothing proves that the API key is ours, because our subscriptions may be lost:
 * the operator must know it.
 */
export function resubscribe(
  dependencies: ChangeDependencies,
  key: SubscriptionKey,
  deadline: AbortSignal,
): Promise<number> {
  const { versions, registry, withLease } = dependencies;
  return withLease(async (signal) => {
    const secrets = await readAcceptedSecrets(versions, signal);
    // A deployment may have changed the name since the operator's request, so the registry has precedence over `key`.
    const known = await registry.read(signal);
    const isEmpty = keysIn(known).length === 0;
    const registered = isEmpty ? await register(dependencies, known, key, () => undefined, signal) : known;
    let changes = 0;
    for (const each of keysIn(registered))
      changes += await applyPlan(dependencies, each, (own) => planSubscriptions(own, secrets), signal);
    return changes;
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

// Records whether a subscription existed before the stack.
async function register(
  dependencies: ChangeDependencies,
  registered: SubscriptionRegistry,
  key: SubscriptionKey,
  onChange: () => void,
  signal: AbortSignal,
): Promise<SubscriptionRegistry> {
  const own = await listOwn(dependencies, key, signal);
  onChange();
  const next = rememberSubscription(registered, physicalIdOf(key), own.length > 0 ? 'adopted' : 'created');
  await dependencies.registry.write(next, signal);
  return next;
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

function listOwn({ webhooks, sleep }: WebhooksDependencies, key: SubscriptionKey, signal: AbortSignal) {
  return retryWhileUnavailable(() => webhooks.listOwn(key, signal), { sleep, signal });
}

// No stage moves between the two reads, because stages are moved only under the lease.
async function readAcceptedSecrets(
  versions: Pick<SecretVersions, 'read'>,
  signal: AbortSignal,
): Promise<readonly [string, ...string[]]> {
  const current = await versions.read({ stage: stages.current }, signal);
  if (!current) throw new LoggableError('The webhook secret has no current value: set one, then try again.');
  const pending = await versions.read({ stage: stages.pending }, signal);
  return pending ? [current.value, pending.value] : [current.value];
}
