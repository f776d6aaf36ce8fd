import { newId } from './ids.ts';
import type { NewestFirst } from './page.ts';

/** A subscription in Argyle's API, with its secret in clear. */
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

/** A valid subscription, or what is wrong by field. */
export type Subscription =
  | { readonly kind: 'valid'; readonly facts: Pick<Webhook, 'name' | 'events' | 'config' | 'secret' | 'url'> }
  | { readonly kind: 'invalid'; readonly errors: Readonly<Record<string, readonly string[]>> };

export type Webhooks = ReturnType<typeof createWebhooks>;

/** Creates the empty store of subscriptions. Neither name nor URL has to be unique. */
export function createWebhooks() {
  const webhooks = new Map<string, { readonly position: number; webhook: Webhook }>();
  let end = 0;
  const all = (): Webhook[] => [...webhooks.values()].map(({ webhook }) => webhook);
  const list: NewestFirst<Webhook> = function* (before) {
    for (const { position, webhook } of [...webhooks.values()].reverse())
      if (position < before) yield [position, webhook];
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
    /** Subscriptions that list the event; `*` lists all events. */
    listing: (event: string): Webhook[] => all().filter(({ events }) => events.includes(event) || events.includes('*')),
    markSent: (id: string): void => {
      const entry = webhooks.get(id);
      if (entry) entry.webhook = { ...entry.webhook, last_sent_at: new Date().toISOString() };
    },
  };
}

/** Reads the body of a POST. Argyle's own validation and error format are unknown. */
export function readSubscription(body: unknown): Subscription {
  const { events, name, url, secret = null, config = null } = isObject(body) ? body : {};
  const errors = {
    ...(!isListOfEvents(events) && { events: ['A list of event names is required.'] }),
    ...(!isText(name) && { name: ['A string is required.'] }),
    ...(!isHttpUrl(url) && { url: ['A URL is required.'] }),
    ...(secret !== null && !isText(secret) && { secret: ['It must be a string.'] }),
    ...(config !== null && !isObject(config) && { config: ['It must be an object.'] }),
  };
  if (Object.keys(errors).length > 0) return { kind: 'invalid', errors };
  return { kind: 'valid', facts: { name, events, config, secret, url } as (Subscription & { kind: 'valid' })['facts'] };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

// Any name of Argyle's form: one URL can receive any event, and the catalogue of this repository has only five.
function isListOfEvents(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length > 0 && value.every((name) => /^(\*|[a-z_]+\.[a-z_]+)$/.test(String(name)))
  );
}

function isHttpUrl(value: unknown): boolean {
  return isText(value) && /^https?:/.test(value) && URL.canParse(value);
}
