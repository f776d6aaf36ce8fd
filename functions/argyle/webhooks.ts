import { eventTypes } from '../domain/events.ts';
import { isObject } from '../domain/is-object.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import {
  differencesIn,
  isOwn,
  readSubscription,
  type Subscription,
  type SubscriptionKey,
  type SubscriptionPlan,
} from '../domain/subscription.ts';
import { ArgyleError, type AskArgyle, argyleError, readPage } from './argyle-api.ts';
import { type ListPosition, listStart, positionAfter } from './list-pages.ts';
import { retryWhileUnavailable, type Sleep } from './retry.ts';

/** The stack's own webhook subscriptions. All functions throw an ArgyleError when Argyle is unavailable or refuses. */
export type Webhooks = {
  /** Lists the subscriptions with exactly this URL and name. */
  readonly listOwn: (key: SubscriptionKey, signal: AbortSignal) => Promise<readonly Subscription[]>;
  /**
   * Subscribes to the events of the catalogue and returns the id of the subscription. The subscription may exist even when this
   * throws: list again.
   */
  readonly create: (key: SubscriptionKey, secret: string, signal: AbortSignal) => Promise<string>;
  /** Reads one subscription. Returns undefined when it does not exist or cannot be understood. */
  readonly read: (id: string, signal: AbortSignal) => Promise<Subscription | undefined>;
  /** Deletes a subscription. Succeeds when it does not exist any more. */
  readonly remove: (id: string, signal: AbortSignal) => Promise<void>;
};

export type WebhooksDependencies = { readonly webhooks: Webhooks; readonly sleep: Sleep };

// Argyle's maximum (its documentation of other lists, read 2026-11-24). A workspace rarely has a second page.
const firstPage = '/webhooks?limit=200';
// Ten thousand subscriptions. Reading them takes seconds, and every caller has more time than that.
const maxPages = 50;

// A run creates one subscription for each of at most two URLs and names, and may have to try each creation three times.
const maxCreations = 6;

// The delays double from 0.5 s: 7.5 s in total.
const maxReadBacks = 5;

/**
 * Creates the client for webhook subscriptions. Argyle's answers contain secrets in clear text: they are never logged
 * and never part of an error.
 * @param secretName the name of the secret with the API key, for the error message when Argyle refuses the key
 */
export function createWebhooks(askArgyle: AskArgyle, secretName: string): Webhooks {
  const ask = async (...[method, path, options]: Parameters<AskArgyle>): Promise<unknown> => {
    const answer = await askArgyle(method, path, options);
    if (answer.kind === 'ok') return answer.body;
    if (answer.kind === 'not_found' && path.startsWith('/webhooks/')) return undefined;
    throw argyleError(answer, secretName);
  };
  return {
    listOwn: async (key, signal) => {
      const own: Subscription[] = [];
      let position: ListPosition = listStart;
      do {
        const page = readPage(await ask('GET', position.nextPage ?? firstPage, { signal }));
        const subscriptions = page.results.flatMap((result) => readSubscription(result) ?? []);
        own.push(...subscriptions.filter((subscription) => isOwn(subscription, key)));
        position = positionAfter(position, page, maxPages);
      } while (position.nextPage !== undefined);
      return own;
    },
    create: async ({ url, name }, secret, signal) => {
      const created = await ask('POST', '/webhooks', { body: { events: eventTypes, name, url, secret }, signal });
      const id = isObject(created) ? created.id : undefined;
      if (typeof id === 'string' && id !== '') return id;
      throw new LoggableError(
        "Argyle's answer to the creation of a subscription has no id, so the subscription cannot be checked: look for it in Argyle's console.",
      );
    },
    read: async (id, signal) => readSubscription(await ask('GET', subscriptionPath(id), { signal })),
    remove: async (id, signal) => {
      await ask('DELETE', subscriptionPath(id), { signal });
    },
  };
}

/**
 * Returns a client that creates at most six subscriptions and then throws. One run of a function uses one client, retries included,
 * so an unexpected behaviour of Argyle's API cannot fill the workspace with subscriptions.
 */
export function limitCreations(webhooks: Webhooks): Webhooks {
  let creations = 0;
  return {
    ...webhooks,
    create: async (...request) => {
      creations += 1;
      if (creations <= maxCreations) return webhooks.create(...request);
      throw new LoggableError(
        `Argyle was asked ${maxCreations} times to create a subscription, and none of them is as requested: look for duplicates in Argyle's console before you try again.`,
      );
    },
  };
}

function subscriptionPath(id: string): string {
  return `/webhooks/${encodeURIComponent(id)}`;
}

/**
 * Changes our subscriptions with one URL and name as planned, and returns the number of changes. While Argyle is unavailable, it
 * retries and each time lists and plans again. `planFor` may throw, and then nothing is changed. The caller must have the lease.
 */
export async function applyPlan(
  dependencies: WebhooksDependencies,
  key: SubscriptionKey,
  planFor: (own: readonly Subscription[]) => SubscriptionPlan,
  signal: AbortSignal,
): Promise<number> {
  const { webhooks, sleep } = dependencies;
  let changes = 0;
  const work = async () => {
    const { create, remove } = planFor(await webhooks.listOwn(key, signal));
    if (create !== undefined) {
      await createAsRequested(dependencies, key, create, signal);
      changes += 1;
    }
    for (const id of remove) {
      await webhooks.remove(id, signal);
      changes += 1;
    }
  };
  await retryWhileUnavailable(work, { sleep, signal });
  return changes;
}

// Whether Argyle's API stores names, URLs and secrets unchanged is not documented, so each new subscription is read back.
async function createAsRequested(
  dependencies: WebhooksDependencies,
  key: SubscriptionKey,
  secret: string,
  signal: AbortSignal,
): Promise<void> {
  const { webhooks, sleep } = dependencies;
  const id = await webhooks.create(key, secret, signal);
  const fault = await findFault(dependencies, id, { ...key, secret }, signal);
  if (fault === undefined) return;
  await retryWhileUnavailable(() => webhooks.remove(id, signal), { sleep, signal }).catch((cause: unknown) => {
    // Argyle chose the id, so it is printed only if it has the form of one.
    const shown = /^[\w-]{1,64}$/.test(id) ? id : 'unreadable';
    throw new LoggableError(`${fault}. Delete it in Argyle's console: its id is ${shown}.`, { cause });
  });
  throw new LoggableError(`${fault}, so it was removed again.`);
}

// Returns undefined when a new subscription is as requested, and otherwise a text without a secret.
async function findFault(
  { webhooks, sleep }: WebhooksDependencies,
  id: string,
  requested: SubscriptionKey & { readonly secret: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const read = async () => {
    const created = await webhooks.read(id, signal);
    if (created) return created;
    throw argyleError({ kind: 'unavailable', status: 404 });
  };
  try {
    const created = await retryWhileUnavailable(read, { sleep, signal, maxTries: maxReadBacks });
    const differences = differencesIn(created, requested);
    if (differences.length === 0) return undefined;
    return `Argyle stored the new subscription with another ${differences.join(', ')} than requested`;
  } catch (error) {
    const code = error instanceof ArgyleError ? error.code : 'unreadable';
    return `The new subscription could not be read back from Argyle (${code})`;
  }
}
