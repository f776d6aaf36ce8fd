import type { Faults } from './faults.ts';
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

/** The fields of a subscription that its creator chooses. */
export type Facts = Pick<Webhook, 'name' | 'events' | 'config' | 'secret' | 'url'>;
type InvalidFields = { readonly errors: Readonly<Record<string, readonly string[]>> };

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
    add: (facts: Facts): Webhook => {
      const now = new Date().toISOString();
      const webhook = { id: newId(), ...facts, created_at: now, updated_at: now, last_sent_at: null };
      webhooks.set(webhook.id, { position: end++, webhook });
      return webhook;
    },
    remove: (id: string): boolean => webhooks.delete(id),
    /** Subscriptions that list the event; `*` lists all events. */
    subscribersOf: (event: string): Webhook[] =>
      all().filter(({ events }) => events.includes(event) || events.includes('*')),
    markSent: (id: string): void => {
      const entry = webhooks.get(id);
      if (entry) entry.webhook = { ...entry.webhook, last_sent_at: new Date().toISOString() };
    },
  };
}

/** Reads the body of a POST. Argyle's own validation and error format are unknown. */
export function readSubscription(body: unknown): Facts | InvalidFields {
  const { events, name, url, secret = null, config = null } = Object(body);
  const facts = { events, name, url, secret, config };
  const isValid: Readonly<Record<keyof typeof facts, boolean>> = {
    // Any name of Argyle's form: one URL can receive any event, and the catalogue of this repository has only five.
    events:
      Array.isArray(events) && events.length > 0 && events.every((event) => /^(\*|[a-z_]+\.[a-z_]+)$/.test(event)),
    name: isText(name),
    url: isText(url) && /^https?:/.test(url) && URL.canParse(url),
    secret: secret === null || isText(secret),
    config: config === null || (typeof config === 'object' && !Array.isArray(config)),
  };
  const invalid = Object.entries(isValid).filter(([, valid]) => !valid);
  if (invalid.length === 0) return facts;
  return { errors: Object.fromEntries(invalid.map(([field]) => [field, ['This value is invalid.']])) };
}

/** Returns a subscription with fields of at most these lengths. */
export function shortened(facts: Facts, { name, url, secret }: NonNullable<Faults['maxLengths']>): Facts {
  return {
    ...facts,
    name: facts.name.slice(0, name),
    url: facts.url.slice(0, url),
    secret: facts.secret?.slice(0, secret) ?? null,
  };
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
