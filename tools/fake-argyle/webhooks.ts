import { newId } from './ids.ts';
import type { Sequence } from './page.ts';

/** A subscription as Argyle's API shows it, its secret in clear. */
export type Webhook = {
  readonly id: string;
  readonly name: string;
  readonly events: readonly string[];
  readonly config: object | null;
  readonly secret: string | null;
  readonly url: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly last_sent_at: string | null;
};

/** What a subscription is made of, or by field what is wrong with it. */
export type Subscription =
  | { readonly kind: 'valid'; readonly facts: Pick<Webhook, 'name' | 'events' | 'config' | 'secret' | 'url'> }
  | { readonly kind: 'invalid'; readonly errors: Readonly<Record<string, readonly string[]>> };

/** All subscriptions of the fake Argyle, in memory. Neither name nor URL has to be unique. */
export type Webhooks = ReturnType<typeof createWebhooks>;

/** Makes the empty store. */
export function createWebhooks() {
  const webhooks = new Map<string, { readonly position: number; webhook: Webhook }>();
  let end = 0;
  const all = (): Webhook[] => [...webhooks.values()].map(({ webhook }) => webhook);
  const list: Sequence<Webhook> = function* (beside, step) {
    const inOrder = [...webhooks.values()].sort((one, other) => (one.position - other.position) * step);
    for (const { position, webhook } of inOrder) {
      if (beside === undefined || Math.sign(position - beside) === step) yield [position, webhook];
    }
  };
  return {
    all,
    list,
    find: (id: string): Webhook | undefined => webhooks.get(id)?.webhook,
    add: (subscription: Subscription & { kind: 'valid' }): Webhook => {
      const now = new Date().toISOString();
      const webhook = { id: newId(), ...subscription.facts, created_at: now, updated_at: now, last_sent_at: null };
      webhooks.set(webhook.id, { position: end++, webhook });
      return webhook;
    },
    remove: (id: string): boolean => webhooks.delete(id),
    /** Those that list the event; `*` lists all. */
    listing: (event: string): Webhook[] => all().filter(({ events }) => events.includes(event) || events.includes('*')),
    markSent: (id: string): void => {
      const entry = webhooks.get(id);
      if (entry) entry.webhook = { ...entry.webhook, last_sent_at: new Date().toISOString() };
    },
  };
}

/** Reads the body of a POST. What exactly Argyle refuses, and how it says so, is unknown: this is this fake's own. */
export function readSubscription(body: unknown): Subscription {
  const { events, name, url, secret = null, config = null } = isObject(body) ? body : {};
  const errors = {
    ...(!isListOfEvents(events) && { events: ['A list of event names is required.'] }),
    ...(!isText(name) && { name: ['A text is required.'] }),
    ...(!isHttpUrl(url) && { url: ['A URL is required.'] }),
    ...(secret !== null && !isText(secret) && { secret: ['It must be a text.'] }),
    ...(config !== null && !isObject(config) && { config: ['It must be an object.'] }),
  };
  if (!isListOfEvents(events) || !isText(name) || !isHttpUrl(url) || Object.keys(errors).length > 0) {
    return { kind: 'invalid', errors };
  }
  return {
    kind: 'valid',
    facts: { name, events, config: config as object | null, secret: secret as string | null, url },
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

// Any name of Argyle's form: one URL can receive any event, and this repository's catalogue knows five.
function isListOfEvents(value: unknown): value is string[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((name) => /^(\*|[a-z_]+\.[a-z_]+)$/.test(String(name)))
  );
}

function isHttpUrl(value: unknown): value is string {
  return isText(value) && /^https?:/.test(value) && URL.canParse(value);
}
