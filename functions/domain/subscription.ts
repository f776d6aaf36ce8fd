import { eventTypes } from './events.ts';

/** What makes a subscription at Argyle ours; Argyle itself demands neither of the two to be unique. */
export type SubscriptionKey = { readonly url: string; readonly name: string };

/** One of the workspace's webhook subscriptions. Its secret never reaches a log. */
export type Subscription = SubscriptionKey & {
  readonly id: string;
  readonly events: readonly string[];
  readonly secret: string | undefined;
};

/** What has to be done so that the own subscriptions are as they should be: create first, then remove. */
export type SubscriptionPlan = {
  /** The secret of the one that is missing. */
  readonly create: string | undefined;
  /** The ids of those that do not fit. */
  readonly remove: readonly string[];
};

/** Reads an object of Argyle's `GET /v2/webhooks`; undefined when it has not the form of a subscription. */
export function readSubscription(value: unknown): Subscription | undefined {
  const { id, url, name, events, secret } = Object(value) as Readonly<Record<string, unknown>>;
  if (typeof id !== 'string' || typeof url !== 'string' || typeof name !== 'string' || !Array.isArray(events))
    return undefined;
  return { id, url, name, events: events.map(String), secret: typeof secret === 'string' ? secret : undefined };
}

/** Whether a subscription is the stack's own. */
export function isOwn({ url, name }: SubscriptionKey, key: SubscriptionKey): boolean {
  return url === key.url && name === key.name;
}

/** Whether a subscription reports all events of the catalogue and no other, signed with this secret. */
export function fits({ events, secret }: Subscription, wanted: string): boolean {
  const names = new Set(events);
  return secret === wanted && names.size === eventTypes.length && eventTypes.every((event) => names.has(event));
}

/**
 * Plans for the own subscriptions: one that fits is kept for each secret, the others go. When none fits, one is made with
 * the first secret.
 * @param secrets what ingest accepts, the one to sign with first
 */
export function planSubscriptions(
  own: readonly Subscription[],
  secrets: readonly [string, ...string[]],
): SubscriptionPlan {
  const kept = new Set(secrets.flatMap((secret) => own.find((subscription) => fits(subscription, secret)) ?? []));
  return {
    create: kept.size === 0 ? secrets[0] : undefined,
    remove: own.filter((subscription) => !kept.has(subscription)).map(({ id }) => id),
  };
}
