import type { SubscriptionKey } from './subscription.ts';

/** Whether the first subscription of a URL and name was created by this stack or existed before it. */
export type Origin = 'created' | 'adopted';

/**
 * The subscriptions that the stack manages, by CloudFormation's physical id: one, or two while the URL or name is being
 * changed. Rotation updates all of them.
 */
export type SubscriptionRegistry = Readonly<Record<string, Origin>>;

// Neither an API Gateway URL nor a name that the configuration allows contains it.
const separator = '#';

/** Returns CloudFormation's physical id of a subscription. It contains only the URL and name, so a rotation does not change it. */
export function physicalIdOf({ url, name }: SubscriptionKey): string {
  return `${url}${separator}${name}`;
}

/** Returns the URL and name from a physical id, or undefined for the id of a resource that was never created. */
export function keyOf(physicalId: string): SubscriptionKey | undefined {
  const [url, name, ...others] = physicalId.split(separator);
  return url && name && others.length === 0 ? { url, name } : undefined;
}

/** Returns the URLs and names of all managed subscriptions. */
export function keysIn(registry: SubscriptionRegistry): readonly SubscriptionKey[] {
  return Object.keys(registry).flatMap((id) => keyOf(id) ?? []);
}

/** Adds a subscription. An origin that is already registered does not change, whatever a retry finds. */
export function rememberSubscription(registry: SubscriptionRegistry, id: string, found: Origin): SubscriptionRegistry {
  return { [id]: found, ...registry };
}

/** Removes a subscription. */
export function forgetSubscription(registry: SubscriptionRegistry, id: string): SubscriptionRegistry {
  const { [id]: _, ...others } = registry;
  return others;
}

/** Returns the ids that a failed change left behind: created by this stack, but not among the `known` ones. */
export function orphansIn(registry: SubscriptionRegistry, known: readonly string[]): readonly string[] {
  return Object.keys(registry).filter((id) => registry[id] === 'created' && !known.includes(id));
}
