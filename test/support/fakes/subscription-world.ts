import type { Webhooks } from '../../../functions/argyle/webhooks.ts';
import type { WithLease } from '../../../functions/aws/lease.ts';
import type { SecretVersions } from '../../../functions/aws/secret-versions.ts';
import type { SubscriptionRegistryStore } from '../../../functions/aws/subscription-registry-store.ts';
import { eventTypes } from '../../../functions/domain/events.ts';
import { isOwn, type Subscription, type SubscriptionKey } from '../../../functions/domain/subscription.ts';
import type { SubscriptionRegistry } from '../../../functions/domain/subscription-registry.ts';
import { createSecret, textOf } from '../../../tools/local/secrets-manager.ts';

/** A subscription with the time in which it signs. */
export type Lifetime = { readonly subscription: Subscription; readonly fromMs: number; untilMs: number | undefined };

/** What the stages held from a moment on; `previousUntilMs`: how long ingest accepts the previous version. */
export type StagesAt = {
  readonly atMs: number;
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly previousUntilMs: number;
};

/** When a function dies: at its so-many-th call to the outside, before that took effect or after. */
export type Death = { readonly atCall: number; readonly isAfter: boolean };

/** The URL of the stack; subscriptions of another one are others'. */
export const receiverUrl = 'https://api.example.com/webhooks/argyle';

/** The subscriptions, the secret, the memory and the lease on one invented clock: each call takes 0.1 s. */
export function createSubscriptionWorld(initialSecret = 'secret-0') {
  let nowMs = Date.parse('2026-11-24T10:00:00.000Z');
  let ids = 0;
  const secret = createSecret(initialSecret, () => nowMs);
  const lifetimes: Lifetime[] = [];
  const history: StagesAt[] = [];
  let memory: SubscriptionRegistry = {};
  let lease: { holder: object; untilMs: number } | undefined;
  let intrusion: (() => Promise<unknown>) | undefined;

  const note = () => {
    const values = Object.fromEntries(
      ['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'].map((stage) => [stage, secret.value(stage)]),
    );
    const createdAtMs = secret.find(undefined, 'AWSCURRENT')?.[1].createdAtMs ?? 0;
    history.push({ atMs: nowMs, values, previousUntilMs: createdAtMs + 24 * 3_600_000 });
  };
  note();
  const alive = () => lifetimes.filter(({ untilMs }) => untilMs === undefined);

  /** What one invocation of a function sees; it may die. */
  const invocation = (death?: Death) => {
    const self = {};
    let calls = 0;
    let isDead = false;
    const call = async <Result>(effect: () => Result): Promise<Result> => {
      // As over a network: others run meanwhile.
      await Promise.resolve();
      if (!isDead && death?.atCall === calls++) {
        if (death.isAfter) effect();
        isDead = true;
      }
      if (isDead) throw new Error('The function died.');
      nowMs += 100;
      return effect();
    };
    const sleep = async (milliseconds: number): Promise<void> => {
      if (isDead) throw new Error('The function died.');
      nowMs += milliseconds / 2;
      const intrude = intrusion;
      intrusion = undefined;
      await intrude?.();
      nowMs += milliseconds / 2;
    };
    const withLease: WithLease = async (work, whole) => {
      const take = () => {
        if (lease && lease.untilMs > nowMs) return false;
        lease = { holder: self, untilMs: nowMs + 60_000 };
        return true;
      };
      while (!(await call(take))) await sleep(1_000);
      try {
        return await work(whole);
      } finally {
        if (!isDead && lease?.holder === self) lease = undefined;
      }
    };
    const webhooks: Webhooks = {
      listOwn: (key) => call(() => own(key)),
      create: (key, signedWith) => call(() => void subscribe(key, signedWith)),
      remove: (id) =>
        call(() => {
          for (const lifetime of alive()) if (lifetime.subscription.id === id) lifetime.untilMs = nowMs;
        }),
    };
    const versions: SecretVersions = {
      read: (which) =>
        call(() => {
          const [id, version] =
            'id' in which ? (secret.find(which.id, '') ?? []) : (secret.find(undefined, which.stage) ?? []);
          const value = textOf(version?.value);
          if (id === undefined || version === undefined || value === undefined) return undefined;
          return { id, value, stages: [...version.stages] };
        }),
      holderOf: (stage) =>
        call(() => {
          const [id, version] = secret.find(undefined, stage) ?? [];
          return version?.value === undefined ? undefined : id;
        }),
      putPending: (id, value) => change(() => secret.put(id, value, ['AWSPENDING'])),
      moveStage: (stage, { from, to }) => change(() => secret.moveStage(stage, from, to)),
    };
    const change = (effect: () => void) =>
      call(() => {
        effect();
        note();
      });
    const store: SubscriptionRegistryStore = {
      read: () => call(() => memory),
      write: (next) =>
        call(() => {
          memory = next;
        }),
    };
    return { sleep, withLease, webhooks, versions, memory: store };
  };

  const own = (key: SubscriptionKey) =>
    alive().flatMap(({ subscription }) => (isOwn(subscription, key) ? [subscription] : []));
  const subscribe = (key: SubscriptionKey, signedWith: string, events: readonly string[] = eventTypes) => {
    const subscription = { id: `webhook-${++ids}`, ...key, events, secret: signedWith };
    lifetimes.push({ subscription, fromMs: nowMs, untilMs: undefined });
    return subscription;
  };
  return {
    secret,
    /** The subscriptions that deliver to the stack, or did. */
    lifetimes: () => lifetimes.filter(({ subscription }) => subscription.url === receiverUrl),
    history,
    invocation,
    /** Subscribes without the stack, as a person does. */
    subscribe,
    own,
    /** How many subscriptions there are, others' too. */
    count: () => alive().length,
    memory: () => memory,
    nowMs: () => nowMs,
    pass: (milliseconds: number) => {
      nowMs += milliseconds;
    },
    /** Changes the secret without the functions, as a person or Secrets Manager does. */
    changeSecret: (effect: (changed: typeof secret) => void) => {
      effect(secret);
      note();
    },
    /** Runs something in the middle of the next wait of whatever function waits. */
    intrudeOnce: (effect: () => Promise<unknown>) => {
      intrusion = effect;
    },
  };
}

/** The world of one test. */
export type SubscriptionWorld = ReturnType<typeof createSubscriptionWorld>;
