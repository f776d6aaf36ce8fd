import type { SubscriptionKey } from './subscription.ts';

/** Who made the first subscription of a URL and name: this stack, or somebody before it. */
export type Origin = 'created' | 'adopted';

/** What the stack remembers about its subscriptions, by CloudFormation's physical id. */
export type SubscriptionMemory = {
  /** The one that is looked after now; rotation follows it. */
  readonly current?: string | undefined;
  readonly origins: Readonly<Record<string, Origin>>;
};

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

/** The memory once a subscription is looked after. Its origin is what was noted first, whatever a retry finds. */
export function rememberSubscription(memory: SubscriptionMemory, id: string, found: Origin): SubscriptionMemory {
  return { current: id, origins: { [id]: found, ...memory.origins } };
}

/** The memory once a subscription is the stack's business no more. */
export function forgetSubscription({ current, origins }: SubscriptionMemory, id: string): SubscriptionMemory {
  const { [id]: _, ...others } = origins;
  return { current: current === id ? undefined : current, origins: others };
}

/** What a failed change left behind: made by this stack, but neither the one before nor the one that is wanted. */
export function straysIn({ origins }: SubscriptionMemory, known: readonly string[]): readonly string[] {
  return Object.keys(origins).filter((id) => origins[id] === 'created' && !known.includes(id));
}
