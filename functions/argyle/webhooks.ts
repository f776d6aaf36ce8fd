import { eventTypes } from '../domain/events.ts';
import { isOwn, readSubscription, type Subscription, type SubscriptionKey } from '../domain/subscription.ts';
import { type AskArgyle, readPage } from './argyle-api.ts';
import { argyleRefusal } from './argyle-error.ts';

/** The subscriptions of the workspace, of which only the stack's own are seen. All throw when Argyle does not serve us. */
export type Webhooks = {
  /** The subscriptions with exactly this URL and name. */
  readonly listOwn: (key: SubscriptionKey, signal: AbortSignal) => Promise<readonly Subscription[]>;
  /** Subscribes to the events of the catalogue. When it throws, it may have worked all the same: list again. */
  readonly create: (key: SubscriptionKey, secret: string, signal: AbortSignal) => Promise<void>;
  /** Removes one; it is no error when it is gone already. */
  readonly remove: (id: string, signal: AbortSignal) => Promise<void>;
};

// Argyle's largest page (its documentation of other lists, read 2026-11-24): a workspace rarely has a second one.
const pageSize = 200;

/**
 * Webhook subscriptions through Argyle's API. Its answers hold secrets in clear: nothing of them is logged or thrown.
 * @param credentialsId the secret that an operator has to mend when the key is refused
 */
export function createWebhooks(askArgyle: AskArgyle, credentialsId: string): Webhooks {
  const ask: AskArgyle = async (...request) => {
    const answer = await askArgyle(...request);
    const isGone = answer.kind === 'not_found' && request[0] === 'DELETE';
    if (answer.kind !== 'ok' && !isGone) throw argyleRefusal(answer, credentialsId);
    return answer;
  };
  return {
    listOwn: async (key, signal) => {
      const own: Subscription[] = [];
      for (let next: string | undefined = `/webhooks?limit=${pageSize}`; next !== undefined; ) {
        const answer = await ask('GET', next, { signal });
        const page = readPage(answer.kind === 'ok' && answer.body);
        const subscriptions = page.results.flatMap((result) => readSubscription(result) ?? []);
        own.push(...subscriptions.filter((subscription) => isOwn(subscription, key)));
        next = page.next;
      }
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
