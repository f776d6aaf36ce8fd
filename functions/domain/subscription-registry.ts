import type { SubscriptionKey } from './subscription.ts';

/** Who made the first subscription of a URL and name: this stack, or somebody before it. */
export type Origin = 'created' | 'adopted';

/**
 * The subscriptions that the stack looks after, by CloudFormation's physical id: one, or two while a change of the URL or
 * name is under way. Rotation follows all of them.
 */
export type SubscriptionRegistry = Readonly<Record<string, Origin>>;

// Neither a URL that API Gateway makes nor a name that the configuration allows has one.
const separator = '#';

/** CloudFormation's physical id of a subscription: of URL and name alone, so that no rotation makes it stale. */
export function physicalIdOf({ url, name }: SubscriptionKey): string {
  return `${url}${separator}${name}`;
}

/** The URL and name in a physical id; undefined for the id of a resource that was never made. */
export function keyOf(physicalId: string): SubscriptionKey | undefined {
  const [url, name, ...others] = physicalId.split(separator);
  return url && name && others.length === 0 ? { url, name } : undefined;
}

/** The URLs and names of all that is looked after. */
export function keysIn(memory: SubscriptionRegistry): readonly SubscriptionKey[] {
  return Object.keys(memory).flatMap((id) => keyOf(id) ?? []);
}

/** The memory with one more subscription. Its origin is what was noted first, whatever a retry finds. */
export function rememberSubscription(memory: SubscriptionRegistry, id: string, found: Origin): SubscriptionRegistry {
  return { [id]: found, ...memory };
}

/** The memory without a subscription. */
export function forgetSubscription(memory: SubscriptionRegistry, id: string): SubscriptionRegistry {
  const { [id]: _, ...others } = memory;
  return others;
}

/** What a failed change left behind: made by this stack, but neither the one before nor the one that is wanted. */
export function straysIn(memory: SubscriptionRegistry, known: readonly string[]): readonly string[] {
  return Object.keys(memory).filter((id) => memory[id] === 'created' && !known.includes(id));
}
