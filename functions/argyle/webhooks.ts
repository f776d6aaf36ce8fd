import { eventTypes } from '../domain/events.ts';
import {
  isOwn,
  readSubscription,
  type Subscription,
  type SubscriptionKey,
  type SubscriptionPlan,
} from '../domain/subscription.ts';
import { type AskArgyle, argyleError, readPage } from './argyle-api.ts';
import { type ListPosition, listStart, positionAfter } from './list-pages.ts';
import { retryWhileUnavailable, type Sleep } from './retry.ts';

/** The stack's own webhook subscriptions. All functions throw an ArgyleError when Argyle is unavailable or refuses. */
export type Webhooks = {
  /** Lists the subscriptions with exactly this URL and name. */
  readonly listOwn: (key: SubscriptionKey, signal: AbortSignal) => Promise<readonly Subscription[]>;
  /** Subscribes to the events of the catalogue. The subscription may exist even when this throws: list again. */
  readonly create: (key: SubscriptionKey, secret: string, signal: AbortSignal) => Promise<void>;
  /** Deletes a subscription. Succeeds when it does not exist any more. */
  readonly remove: (id: string, signal: AbortSignal) => Promise<void>;
};

export type WebhooksDependencies = { readonly webhooks: Webhooks; readonly sleep: Sleep };

// Argyle's maximum (its documentation of other lists, read 2026-11-24). A workspace rarely has a second page.
const firstPage = '/webhooks?limit=200';
// Ten thousand subscriptions. Reading them takes seconds, and every caller has more time than that.
const maxPages = 50;

/**
 * Creates the client for webhook subscriptions. Argyle's answers contain secrets in clear text: they are never logged
 * and never part of an error.
 * @param secretName the name of the secret with the API key, for the error message when Argyle refuses the key
 */
export function createWebhooks(askArgyle: AskArgyle, secretName: string): Webhooks {
  const ask = async (...[method, path, options]: Parameters<AskArgyle>): Promise<unknown> => {
    const answer = await askArgyle(method, path, options);
    if (answer.kind === 'ok') return answer.body;
    if (answer.kind === 'not_found' && method === 'DELETE') return undefined;
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
      await ask('POST', '/webhooks', { body: { events: eventTypes, name, url, secret }, signal });
    },
    remove: async (id, signal) => {
      await ask('DELETE', `/webhooks/${encodeURIComponent(id)}`, { signal });
    },
  };
}

/**
 * Changes our subscriptions with one URL and name as planned, and returns the number of changes. While Argyle is unavailable, it
 * retries and each time lists and plans again. The caller must have the lease.
 */
export async function applyPlan(
  { webhooks, sleep }: WebhooksDependencies,
  key: SubscriptionKey,
  planFor: (own: readonly Subscription[]) => SubscriptionPlan,
  signal: AbortSignal,
): Promise<number> {
  let changes = 0;
  const work = async () => {
    const { create, remove } = planFor(await webhooks.listOwn(key, signal));
    if (create !== undefined) {
      await webhooks.create(key, create, signal);
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
