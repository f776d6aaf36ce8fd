import { eventTypes } from './events.ts';
import { isObject } from './is-object.ts';

/** Identifies the subscriptions that the stack owns. Argyle does not require `url` or `name` to be unique. */
export type SubscriptionKey = { readonly url: string; readonly name: string };

/** One of the workspace's webhook subscriptions. Its secret must never reach a log. */
export type Subscription = SubscriptionKey & {
  readonly id: string;
  readonly events: readonly string[];
  readonly secret: string | undefined;
};

/** Changes to our subscriptions: create first, then remove, so that there is always a subscription. */
export type SubscriptionPlan = {
  /** The secret of the subscription to create, if any. */
  readonly create: string | undefined;
  /** The ids of the subscriptions to remove. */
  readonly remove: readonly string[];
};

/** The time-out of the function that subscribes. The function's time budget is derived from it. */
export const subscriptionTimeoutMs = 150_000;

/** Reads an object of Argyle's `GET /v2/webhooks`. Returns undefined when it is not a subscription. */
export function readSubscription(value: unknown): Subscription | undefined {
  if (!isObject(value)) return undefined;
  const { id, url, name, events, secret } = value;
  if (typeof id !== 'string' || typeof url !== 'string' || typeof name !== 'string' || !Array.isArray(events))
    return undefined;
  return { id, url, name, events: events.map(String), secret: typeof secret === 'string' ? secret : undefined };
}

/** Whether the stack owns a subscription. */
export function isOwn({ url, name }: SubscriptionKey, key: SubscriptionKey): boolean {
  return url === key.url && name === key.name;
}

/** Whether a subscription lists exactly the events of the catalogue and signs with this secret. */
export function fits(subscription: Subscription, wanted: string): boolean {
  return subscription.secret === wanted && listsCatalogue(subscription);
}

/**
 * Whether one of our subscriptions is signed with one of the stack's secrets. This proves that the API key belongs to our
 * workspace: the key of another workspace sees no such subscription.
 */
export function provesOurKey(own: readonly Subscription[], secrets: readonly string[]): boolean {
  return own.some(({ secret }) => secret !== undefined && secrets.includes(secret));
}

/** The reason to change nothing when no subscription proves that the API key belongs to our workspace. */
export const unprovenKey =
  'Argyle lists no subscription of this stack that is signed with its webhook secret, so nothing was changed. Either the API key ' +
  'in the secret that the setting argyleCredentials names belongs to another workspace or environment: store the right key. Or the ' +
  'subscription was deleted or changed: re-create it with npm run uploads -- resubscribe.';

/** Returns the fields in which a subscription differs from the requested one. */
export function differencesIn(
  found: Subscription,
  requested: SubscriptionKey & { readonly secret: string },
): readonly string[] {
  return [
    ...(found.name === requested.name ? [] : ['name']),
    ...(found.url === requested.url ? [] : ['url']),
    ...(found.secret === requested.secret ? [] : ['secret']),
    ...(listsCatalogue(found) ? [] : ['events']),
  ];
}

/**
 * Plans the changes to the subscriptions that the stack owns. For each secret, one subscription that fits is kept; all others
 * are removed. When none fits, one is created with the first secret.
 * @param secrets the secrets that ingest accepts; a new subscription signs with the first
 */
export function planSubscriptions(
  own: readonly Subscription[],
  secrets: readonly [string, ...string[]],
): SubscriptionPlan {
  const fitting = new Set(secrets.flatMap((secret) => own.find((subscription) => fits(subscription, secret)) ?? []));
  return {
    create: fitting.size === 0 ? secrets[0] : undefined,
    remove: own.filter((subscription) => !fitting.has(subscription)).map(({ id }) => id),
  };
}

/** Plans to add a subscription with this secret, unless one that fits exists. Removes none. */
export function planAddition(own: readonly Subscription[], secret: string): SubscriptionPlan {
  return { create: own.some((subscription) => fits(subscription, secret)) ? undefined : secret, remove: [] };
}

export function planRemoval(own: readonly Subscription[]): SubscriptionPlan {
  return { create: undefined, remove: own.map(({ id }) => id) };
}

function listsCatalogue({ events }: Subscription): boolean {
  const names = new Set(events);
  return names.size === eventTypes.length && eventTypes.every((event) => names.has(event));
}
