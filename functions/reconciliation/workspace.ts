import { type ArgyleCredentials, createAskArgyle, createPacedArgyle } from '../argyle/argyle-api.ts';
import { createPace, type Pace, retryWhileUnavailable, type Sleep } from '../argyle/retry.ts';
import { backoff, createUserUploads, type UserUploads } from '../argyle/user-uploads.ts';
import { createWebhooks } from '../argyle/webhooks.ts';
import { callDeadline } from '../aws/clients.ts';
import type { SubscriptionRegistryStore } from '../aws/subscription-registry-store.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import { keysIn } from '../domain/subscription-registry.ts';

/** Argyle's side of reconciliation: the workspace that the API key belongs to. */
export type Workspace = {
  /**
   * Reads the API key that all requests use until the next call, and proves that it belongs to the workspace of this stack: Argyle
   * lists a subscription with the URL and name of this stack. Throws a LoggableError when it does not, or when the stack has none.
   */
  readonly prove: (endsMs: number) => Promise<void>;
  readonly uploads: UserUploads;
  readonly pace: Pace;
  /** The number of requests so far. */
  readonly requests: () => number;
};

export type WorkspaceDependencies = {
  readonly apiUrl: string;
  readonly readCredentials: () => Promise<ArgyleCredentials>;
  /** The name of the secret with the API key, for error messages. */
  readonly secretName: string;
  readonly registry: Pick<SubscriptionRegistryStore, 'read'>;
  readonly sleep: Sleep;
  readonly nowMs: () => number;
};

// Argyle's limit is 50 requests a second. The workers need some of them.
const requestsPerSecond = 40;
// For one try to read all pages of the list of subscriptions. One page takes at most 10 s.
const listMs = 45_000;

export function createWorkspace(dependencies: WorkspaceDependencies): Workspace {
  const { apiUrl, readCredentials, secretName, registry, sleep, nowMs } = dependencies;
  let key: ArgyleCredentials | undefined;
  const pace = createPace(requestsPerSecond, nowMs, sleep);
  const readKey = async () => key ?? readCredentials();
  const { askArgyle, requests } = createPacedArgyle(createAskArgyle(apiUrl, readKey), pace);
  const webhooks = createWebhooks(askArgyle, secretName);
  return {
    prove: async (endsMs) => {
      // A key that is exchanged after the proof could belong to another workspace.
      key = await readCredentials();
      const subscriptions = keysIn(await registry.read(callDeadline()));
      if (subscriptions.length === 0) throw new LoggableError(noSubscription);
      for (const subscription of subscriptions) {
        const list = () => webhooks.listOwn(subscription, AbortSignal.timeout(listMs));
        const own = await retryWhileUnavailable(list, { ...backoff, sleep, remainingMs: () => endsMs - nowMs() });
        // One is enough: during a change of the URL or name, the other one may not exist yet.
        if (own.length > 0) return;
      }
      throw new LoggableError(otherWorkspace(secretName));
    },
    uploads: createUserUploads({ askArgyle, sleep, nowMs, secretName }),
    pace,
    requests,
  };
}

const noSubscription =
  'The state table lists no subscription of this stack, so nothing can prove that the API key belongs to its workspace. Nothing ' +
  'was compared, imported or removed: register the subscription with npm run uploads -- resubscribe.';

function otherWorkspace(secretName: string): string {
  return (
    "Argyle's list of webhooks does not contain the URL and name of this stack's subscription. Nothing was imported or removed. " +
    `Either the API key in the secret ${secretName} belongs to another workspace or environment: store the right key. Or the ` +
    'subscription was deleted: re-create it with npm run uploads -- resubscribe.'
  );
}
