import { retryWhileUnavailable } from '../argyle/retry.ts';
import type { WebhooksDependencies } from '../argyle/webhooks.ts';
import type { WithLease } from '../aws/lease.ts';
import { type SecretVersions, stages } from '../aws/secret-versions.ts';
import type { SubscriptionRegistryStore } from '../aws/subscription-registry-store.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import {
  provesOurKey,
  type Subscription,
  type SubscriptionKey,
  type SubscriptionPlan,
  unprovenKey,
} from '../domain/subscription.ts';
import { keysIn } from '../domain/subscription-registry.ts';

export type ProofDependencies = WebhooksDependencies & {
  readonly versions: Pick<SecretVersions, 'read'>;
  readonly registry: Pick<SubscriptionRegistryStore, 'read'>;
  readonly withLease: WithLease;
};

/** Our subscriptions of each URL and name. For each of these, at least one is signed with one of `secrets`. */
export type Proof = {
  readonly subscriptions: readonly { readonly key: SubscriptionKey; readonly own: readonly Subscription[] }[];
  readonly secrets: readonly string[];
};

/**
 * Runs work under the lease, after a proof that the API key belongs to our workspace: for each URL and name of the registry, Argyle
 * lists a subscription of ours that is signed with a known secret. Throws without running the work when one is missing. The lease
 * is needed because a deployment changes the registry and the subscriptions one after the other.
 */
export function withProof<Result>(
  deps: ProofDependencies,
  work: (proof: Proof, signal: AbortSignal) => Promise<Result>,
  deadline: AbortSignal,
): Promise<Result> {
  return deps.withLease(async (signal) => work(await prove(deps, signal), signal), deadline);
}

/**
 * Returns a plan that throws unless the list from which it plans proves again that the key is ours: a person may have deleted or
 * changed a subscription at Argyle since the first proof.
 */
export function provenPlan(
  { secrets }: Proof,
  planFor: (own: readonly Subscription[]) => SubscriptionPlan,
): (own: readonly Subscription[]) => SubscriptionPlan {
  return (own) => planFor(requireProof(own, secrets));
}

/** Lists our subscriptions of each URL and name of the registry. Throws when the registry is empty. */
export async function listOwn(
  { registry, webhooks, sleep }: Pick<ProofDependencies, 'registry' | 'webhooks' | 'sleep'>,
  signal: AbortSignal,
): Promise<Proof['subscriptions']> {
  // Reads the registry and not the environment: a deployment may have changed or removed the subscription since this step began.
  const keys = keysIn(await registry.read(signal));
  if (keys.length === 0)
    throw new LoggableError(
      'The state table lists no subscription of this stack, so there is none to rotate: register it with npm run uploads -- resubscribe.',
    );
  const subscriptions = [];
  for (const key of keys) {
    const own = await retryWhileUnavailable(() => webhooks.listOwn(key, signal), { sleep, signal });
    subscriptions.push({ key, own });
  }
  return subscriptions;
}

async function prove(deps: ProofDependencies, signal: AbortSignal): Promise<Proof> {
  const secrets = await readKnownSecrets(deps.versions, signal);
  const subscriptions = await listOwn(deps, signal);
  for (const { own } of subscriptions) requireProof(own, secrets);
  return { subscriptions, secrets };
}

function requireProof(own: readonly Subscription[], secrets: readonly string[]): readonly Subscription[] {
  if (provesOurKey(own, secrets)) return own;
  throw new LoggableError(unprovenKey);
}

// At any point of a rotation, our subscriptions are signed with the current or the pending secret. The previous one counts only
// while the current value is not a text, which no subscription can be signed with: a workspace that the stack left may still have a
// subscription that is signed with the previous secret.
async function readKnownSecrets(versions: ProofDependencies['versions'], signal: AbortSignal): Promise<string[]> {
  const read = (stage: string) => versions.read({ stage }, signal);
  const current = (await read(stages.current)) ?? (await read(stages.previous));
  return [current, await read(stages.pending)].flatMap((version) => version?.value ?? []);
}
