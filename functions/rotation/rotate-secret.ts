import {
  addSubscription,
  type ConvergenceDependencies,
  convergeSubscriptions,
} from '../argyle/converge-subscriptions.ts';
import { retryWhileUnavailable } from '../argyle/retry.ts';
import { leasedWorkMs, type WithLease } from '../aws/lease.ts';
import { type SecretVersion, type SecretVersions, stages } from '../aws/secret-versions.ts';
import type { SubscriptionRegistryStore } from '../aws/subscription-registry-store.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import type { Subscription, SubscriptionKey } from '../domain/subscription.ts';
import { keysIn } from '../domain/subscription-registry.ts';

/** What the rotation needs from outside. */
export type RotationDependencies = ConvergenceDependencies & {
  readonly versions: SecretVersions;
  readonly memory: Pick<SubscriptionRegistryStore, 'read'>;
  readonly withLease: WithLease;
};

/** Ingest reads the secret once a minute: in twice that time, each of its caches has seen the pending version. */
export const pendingSeenMs = 120_000;
/** Argyle waits 10 s and tries once more after 30 s: then nothing comes that a removed subscription signed. */
export const lastRetryMs = 60_000;
/** Ingest reads the stages in 6.5 s at most, not at once: between two moves it has to find a version by one of them. */
export const stagesReadMs = 10_000;

/**
 * Has each own subscription signed with a pending version: at once if it is, else after every ingest has seen the
 * version. That time counts from here and not from the version's date: Secrets Manager makes the version before it has
 * its value.
 */
export async function subscribePending(deps: RotationDependencies, id: string, whole: AbortSignal): Promise<void> {
  const { value } = await readLive(deps, id, whole);
  const lists = await listOwn(deps, whole);
  if (lists.every((own) => own.some(({ secret }) => secret === value))) return;
  await deps.sleep(pendingSeenMs, whole);
  await deps.withLease(async (signal) => {
    // It may have been withdrawn meanwhile: then nothing may be signed with it.
    await readLive(deps, id, signal);
    for (const key of await readKeys(deps, signal)) await addSubscription(deps, key, value, signal);
  }, whole);
}

/**
 * Makes a pending version the current one: subscribes with it, removes the other own subscriptions, waits until nothing
 * signed by them can come any more, and only then moves the stages.
 */
export async function completeVersion(deps: RotationDependencies, id: string, whole: AbortSignal): Promise<void> {
  const { value, stages: held } = await readLive(deps, id, whole);
  if (!held.includes(stages.current)) {
    await subscribePending(deps, id, whole);
    await deps.withLease((signal) => keepOnly(deps, value, signal), whole);
    // A deployment may change the subscription while nobody holds the lease: then the old one's time counts anew.
    do await deps.sleep(lastRetryMs, whole);
    while (!(await deps.withLease((signal) => promoteIfAlone(deps, id, signal), whole)));
  } else if (!held.includes(stages.pending)) return;
  await deps.sleep(stagesReadMs, whole);
  await deps.withLease((signal) => withdraw(deps, id, signal), whole);
}

/** The own subscriptions of each URL and name, asked for without the lease: only to look. */
export async function listOwn(
  deps: RotationDependencies,
  whole: AbortSignal,
): Promise<readonly (readonly Subscription[])[]> {
  const signal = AbortSignal.any([whole, AbortSignal.timeout(leasedWorkMs)]);
  const list = async () => {
    const lists = [];
    for (const key of await readKeys(deps, signal)) lists.push(await deps.webhooks.listOwn(key, signal));
    return lists;
  };
  return retryWhileUnavailable(list, deps.sleep, signal);
}

// Not from the environment: a deployment may have changed or removed the subscription since this step began.
async function readKeys({ memory }: RotationDependencies, signal: AbortSignal): Promise<readonly SubscriptionKey[]> {
  const keys = keysIn(await memory.read(signal));
  if (keys.length > 0) return keys;
  throw new LoggableError('The stack has no subscription to rotate the secret of: deploy it again.');
}

async function readLive(deps: RotationDependencies, id: string, signal: AbortSignal): Promise<SecretVersion> {
  const version = await deps.versions.read({ id }, signal);
  if (version?.stages.some((stage) => stage === stages.pending || stage === stages.current)) return version;
  throw new LoggableError('The new version of the webhook secret is not pending any more: start another rotation.');
}

// Whether nothing had to be done.
async function keepOnly(deps: RotationDependencies, secret: string, signal: AbortSignal): Promise<boolean> {
  let changes = 0;
  for (const key of await readKeys(deps, signal)) {
    const { created, removed } = await convergeSubscriptions(deps, key, [secret], signal);
    changes += created + removed;
  }
  return changes === 0;
}

async function promoteIfAlone(deps: RotationDependencies, id: string, signal: AbortSignal): Promise<boolean> {
  const { value, stages: held } = await readLive(deps, id, signal);
  if (held.includes(stages.current)) return true;
  if (!(await keepOnly(deps, value, signal))) return false;
  // Whatever its value is: one that nothing can be signed with is to be replaced as well.
  const current = await deps.versions.holderOf(stages.current, signal);
  await deps.versions.moveStage(stages.current, { to: id, ...(current && { from: current }) }, signal);
  return true;
}

async function withdraw({ versions }: RotationDependencies, id: string, signal: AbortSignal): Promise<void> {
  const version = await versions.read({ id }, signal);
  if (version?.stages.includes(stages.pending)) await versions.moveStage(stages.pending, { from: id }, signal);
}
