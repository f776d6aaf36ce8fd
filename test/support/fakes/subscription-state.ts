import type { Webhooks } from '../../../functions/argyle/webhooks.ts';
import type { WithLease } from '../../../functions/aws/lease.ts';
import type { SecretVersions } from '../../../functions/aws/secret-versions.ts';
import type { SubscriptionRegistryStore } from '../../../functions/aws/subscription-registry-store.ts';
import { eventTypes } from '../../../functions/domain/events.ts';
import { previousSecretValidMs } from '../../../functions/domain/secret-cache-times.ts';
import { isOwn, type Subscription, type SubscriptionKey } from '../../../functions/domain/subscription.ts';
import type { SubscriptionRegistry } from '../../../functions/domain/subscription-registry.ts';
import { createSecret, textOf } from '../../../tools/local/secrets-manager.ts';

/** A subscription, its workspace, and the time in which it exists. */
export type Lifetime = {
  readonly subscription: Subscription;
  readonly workspace: 'ours' | 'other';
  readonly fromMs: number;
  untilMs: number | undefined;
};

/** The secret's stages from a moment on. Ingest accepts the previous version until `previousUntilMs`. */
export type StagesAt = {
  readonly atMs: number;
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly previousUntilMs: number;
};

/** The external call at which a function crashes, and whether that call takes effect. */
export type Crash = { readonly atCall: number; readonly hasEffect: boolean };

/** The URL of the stack. Subscriptions with another URL belong to others. */
export const receiverUrl = 'https://api.example.com/webhooks/argyle';

/** Creates the subscriptions, the secret, the registry and the lease, on a fake clock. Each call takes 0.1 s. */
export function createFakeState(initialSecret = 'secret-0') {
  let nowMs = Date.parse('2026-11-24T10:00:00.000Z');
  let ids = 0;
  const secret = createSecret(initialSecret, () => nowMs);
  const lifetimes: Lifetime[] = [];
  const history: StagesAt[] = [];
  let registry: SubscriptionRegistry = {};
  let lease: { owner: object; untilMs: number } | undefined;
  let workspace: Lifetime['workspace'] = 'ours';
  let nextInterruption: (() => Promise<unknown>) | undefined;

  const recordStages = () => {
    const stages = ['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'].map((stage) => [stage, secret.value(stage)]);
    const createdAtMs = secret.find(undefined, 'AWSCURRENT')?.[1].createdAtMs ?? 0;
    const previousUntilMs = createdAtMs + previousSecretValidMs;
    history.push({ atMs: nowMs, values: Object.fromEntries(stages), previousUntilMs });
  };
  recordStages();
  const active = () =>
    lifetimes.filter((lifetime) => lifetime.untilMs === undefined && lifetime.workspace === workspace);
  const own = (key: SubscriptionKey) =>
    active().flatMap(({ subscription }) => (isOwn(subscription, key) ? [subscription] : []));
  const subscribe = (key: SubscriptionKey, signedWith: string, events: readonly string[] = eventTypes) => {
    const subscription = { id: `webhook-${++ids}`, ...key, events, secret: signedWith };
    lifetimes.push({ subscription, workspace, fromMs: nowMs, untilMs: undefined });
    return subscription.id;
  };
  const unsubscribe = (id: string) => {
    for (const lifetime of active()) if (lifetime.subscription.id === id) lifetime.untilMs = nowMs;
  };

  /** Creates the dependencies of one invocation of a function, which may crash. */
  const invocation = (crash?: Crash) => {
    const self = {};
    let calls = 0;
    let hasCrashed = false;
    const call = async <Result>(effect: () => Result): Promise<Result> => {
      // As over a network, other invocations run in the meantime.
      await Promise.resolve();
      if (!hasCrashed && crash?.atCall === calls++) {
        if (crash.hasEffect) effect();
        hasCrashed = true;
      }
      if (hasCrashed) throw new Error('The function crashed.');
      nowMs += 100;
      return effect();
    };
    const changeStages = (effect: () => void) =>
      call(() => {
        effect();
        recordStages();
      });
    const sleep = async (milliseconds: number): Promise<void> => {
      if (hasCrashed) throw new Error('The function crashed.');
      nowMs += milliseconds / 2;
      const interrupt = nextInterruption;
      nextInterruption = undefined;
      await interrupt?.();
      nowMs += milliseconds / 2;
    };
    const withLease: WithLease = async (work, deadline) => {
      const take = () => {
        if (lease && lease.untilMs > nowMs) return false;
        lease = { owner: self, untilMs: nowMs + 60_000 };
        return true;
      };
      while (!(await call(take))) await sleep(1_000);
      try {
        return await work(deadline);
      } finally {
        if (!hasCrashed && lease?.owner === self) lease = undefined;
      }
    };
    const webhooks: Webhooks = {
      listOwn: (key) => call(() => own(key)),
      create: (key, signedWith) => call(() => subscribe(key, signedWith)),
      read: (id) => call(() => active().find(({ subscription }) => subscription.id === id)?.subscription),
      remove: (id) => call(() => unsubscribe(id)),
    };
    const find = (which: { stage: string } | { id: string }) =>
      ('id' in which ? secret.find(which.id, '') : secret.find(undefined, which.stage)) ?? [];
    const versions: SecretVersions = {
      read: (which) =>
        call(() => {
          const [id, version] = find(which);
          const value = textOf(version?.value);
          if (id === undefined || version === undefined || value === undefined) return undefined;
          return { id, value, stages: [...version.stages] };
        }),
      versionIdOf: (stage) =>
        call(() => {
          const [id, version] = find({ stage });
          return version?.value === undefined ? undefined : id;
        }),
      putPending: (id, value) => changeStages(() => secret.put(id, value, ['AWSPENDING'])),
      moveStage: (stage, { from, to }) => changeStages(() => secret.moveStage(stage, from, to)),
    };
    const registryStore: SubscriptionRegistryStore = {
      read: () => call(() => registry),
      write: (next) =>
        call(() => {
          registry = next;
        }),
    };
    return { sleep, withLease, webhooks, versions, registry: registryStore };
  };

  return {
    secret,
    /** All subscriptions of our workspace with the URL of the stack, past ones too. */
    lifetimes: () =>
      lifetimes.filter((lifetime) => lifetime.workspace === 'ours' && lifetime.subscription.url === receiverUrl),
    /** All subscriptions that were ever created in the other workspace. */
    foreign: () => lifetimes.filter((lifetime) => lifetime.workspace === 'other'),
    /** Chooses the workspace of the API key. The other one has no subscriptions at first. */
    useKeyOf: (next: Lifetime['workspace']) => {
      workspace = next;
    },
    history,
    invocation,
    /** Subscribes through Argyle's API without the stack, as an operator can. */
    subscribe,
    unsubscribe,
    own,
    /** The number of active subscriptions that the API key sees, including those of others. */
    count: () => active().length,
    registry: () => registry,
    nowMs: () => nowMs,
    passTime: (milliseconds: number) => {
      nowMs += milliseconds;
    },
    /** Changes the secret without the functions, as an operator or Secrets Manager can. */
    changeSecret: (effect: (changed: typeof secret) => void) => {
      effect(secret);
      recordStages();
    },
    /** Runs `effect` in the middle of the next sleep of any function. */
    interruptNextSleep: (effect: () => Promise<unknown>) => {
      nextInterruption = effect;
    },
  };
}

export type FakeState = ReturnType<typeof createFakeState>;
