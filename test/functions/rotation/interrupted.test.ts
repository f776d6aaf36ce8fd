import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mismatchReadIntervalMs, secretCacheMs } from '../../../functions/domain/secret-cache-times.ts';
import { physicalIdOf } from '../../../functions/domain/subscription-registry.ts';
import { createRotation } from '../../../functions/rotation/handler.ts';
import { resubscribe, subscribe, unsubscribe } from '../../../functions/subscription/change-subscription.ts';
import { rotationSteps } from '../../../tools/local/secrets-manager.ts';
import { fakeTelemetry } from '../../support/fakes/fakes.ts';
import {
  type Crash,
  createFakeState,
  type FakeState,
  type Lifetime,
  receiverUrl,
  type StagesAt,
} from '../../support/fakes/subscription-state.ts';

const keys = ['first', 'second'].map((name) => ({ url: receiverUrl, name }));
const [key] = keys as [(typeof keys)[number]];
const deadline = new AbortController().signal;

type Step = (typeof rotationSteps)[number];
type Incident =
  | { readonly kind: 'step'; readonly token: string; readonly step: Step; readonly crash: Crash | undefined }
  | { readonly kind: 'deployment'; readonly name: number; readonly crash: Crash | undefined }
  | { readonly kind: 'deployment during a wait'; readonly name: number }
  | { readonly kind: 'deployment beside a step'; readonly name: number; readonly step: Step }
  | { readonly kind: 'test step alone' }
  | { readonly kind: 'resubscription'; readonly crash: Crash | undefined }
  | { readonly kind: 'another key' | 'another key during a wait'; readonly workspace: Lifetime['workspace'] }
  | { readonly kind: 'time passes'; readonly hours: number };

const anyCrash = fc.option(fc.record({ atCall: fc.nat(30), hasEffect: fc.boolean() }), { nil: undefined });
const anyStep = fc.constantFrom(...rotationSteps);
const anyWorkspace = fc.constantFrom('ours' as const, 'other' as const);
const anyToken = fc.constantFrom('token-1', 'token-1', 'token-2');
const incident = <Kind extends Incident['kind'], Facts extends object>(
  weight: number,
  kind: Kind,
  facts: { [Name in keyof Facts]: fc.Arbitrary<Facts[Name]> },
) => ({ weight, arbitrary: fc.record(facts).map((values) => ({ kind, ...values })) });
const anyIncident = fc.oneof(
  incident(6, 'step', { token: anyToken, step: anyStep, crash: anyCrash }),
  incident(1, 'deployment', { name: fc.nat(1), crash: anyCrash }),
  incident(2, 'deployment during a wait', { name: fc.nat(1) }),
  incident(2, 'deployment beside a step', { name: fc.nat(1), step: anyStep }),
  incident(1, 'test step alone', {}),
  incident(1, 'resubscription', { crash: anyCrash }),
  incident(2, 'another key', { workspace: anyWorkspace }),
  incident(2, 'another key during a wait', { workspace: anyWorkspace }),
  incident(1, 'time passes', { hours: fc.integer({ min: 0, max: 40 }) }),
) as fc.Arbitrary<Incident>;

test('a rotation that crashes, is repeated, gets a key of another workspace and runs beside deployments refuses no delivery and ends correctly', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyIncident, { maxLength: 14 }), async (incidents) => {
      const { state, deployed, rotate, changesWithWrongKey } = await play(incidents);
      await rotate('last-token');

      expect(refusalsIn(state)).toEqual([]);
      expect(maxGapMs(state)).toBe(0);
      expect(state.foreign()).toEqual([]);
      expect(changesWithWrongKey).toEqual([]);
      expect(state.secret.value('AWSPENDING')).toBeUndefined();
      const current = state.secret.value('AWSCURRENT');
      expect(state.secret.find(undefined, 'AWSCURRENT')?.[0]).toBe('last-token');
      expect(state.own(deployed()).map(({ secret }) => secret)).toEqual([current]);
      // The other one is not ours.
      expect(state.count()).toBe(2);
    }),
    { numRuns: Number(process.env.RUNS ?? 500) },
  );
});

async function play(incidents: readonly Incident[]) {
  const state = createFakeState();
  state.subscribe({ ...key, url: 'https://somebody.else.example.com/' }, 'secret of others');
  const operate = createOperator(state);
  await operate.deploy(key);
  // Ingest has read the secret before the first delivery.
  state.passTime(2 * secretCacheMs);
  for (const one of incidents) await playOne(state, operate, one);
  operate.keepOurKey();
  return { state, ...operate };
}

async function playOne(state: FakeState, operate: ReturnType<typeof createOperator>, one: Incident): Promise<void> {
  const { deploy, run } = operate;
  if (one.kind === 'step') await run(one.token, one.step, one.crash).catch(() => undefined);
  if (one.kind === 'deployment') await deploy(keys[one.name] ?? key, one.crash);
  if (one.kind === 'deployment during a wait') state.interruptNextSleep(() => deploy(keys[one.name] ?? key));
  if (one.kind === 'deployment beside a step')
    await Promise.allSettled([run('token-1', one.step), deploy(keys[one.name] ?? key)]);
  if (one.kind === 'time passes') state.passTime(one.hours * 3_600_000);
  if (one.kind === 'test step alone') await runTestStepAlone(state, run);
  if (one.kind === 'resubscription') await operate.recreate(one.crash);
  if (one.kind === 'another key') operate.useKeyOf(one.workspace);
  if (one.kind === 'another key during a wait') state.interruptNextSleep(async () => operate.useKeyOf(one.workspace));
}

/** Creates the deployments and rotations of a stack, and the changes of its API key. */
function createOperator(state: FakeState) {
  const { telemetry } = fakeTelemetry();
  let deployed: typeof key | undefined;
  let workspace: Lifetime['workspace'] = 'ours';
  let isDeploying = false;
  let isKeyInUse = false;
  let secrets = 0;
  const changesWithWrongKey: Step[] = [];
  const changer = (crash?: Crash, isRollback = false) => ({
    ...state.invocation(crash),
    isRollingBack: async () => isRollback,
  });
  const update = async (next: typeof key, crash?: Crash) => {
    const previousId = deployed && physicalIdOf(deployed);
    const change = (to: typeof key, dependencies = changer()) =>
      subscribe(dependencies, { key: to, previousId, stackId: 'stack', onChange: () => undefined }, deadline);
    try {
      // Lambda retries an invocation that crashed.
      await change(next, changer(crash)).catch(() => change(next));
    } catch (error) {
      if (workspace === 'ours' || !deployed) throw error;
      return change(deployed, changer(undefined, true));
    }
    if (deployed && next !== deployed) await unsubscribe(changer(), physicalIdOf(deployed), 'stack', deadline);
    deployed = next;
  };
  const deploy = async (next: typeof key, crash?: Crash) => {
    // CloudFormation refuses a second deployment at the same time.
    if (isDeploying) return;
    isDeploying = true;
    await update(next, crash).finally(() => {
      isDeploying = false;
    });
  };
  const run = async (token: string, Step: Step, crash?: Crash) => {
    if (!state.secret.find(token, '') && state.secret.value('AWSPENDING') === undefined)
      state.changeSecret((secret) => secret.put(token, undefined, ['AWSPENDING']));
    const newSecret = () => `secret-${++secrets}`;
    const rotation = createRotation({ ...state.invocation(crash), newSecret, telemetry, stepMs: 60_000 });
    const before = everythingIn(state);
    const startedWith = workspace;
    await rotation({ Step, SecretId: 'secret', ClientRequestToken: token }).finally(() => {
      const hadWrongKey = startedWith === 'other' && workspace === 'other';
      if (hadWrongKey && everythingIn(state) !== before) changesWithWrongKey.push(Step);
    });
  };
  return {
    deploy,
    run,
    deployed: () => deployed ?? key,
    /** The steps that changed something although the key belonged to the other workspace all the time. */
    changesWithWrongKey,
    rotate: async (token: string) => {
      for (const step of rotationSteps) await run(token, step);
    },
    // The operator checks the key's workspace first, and changes the key only afterwards.
    recreate: async (crash?: Crash) => {
      if (workspace === 'other' || !deployed) return;
      isKeyInUse = true;
      await resubscribe(changer(crash), deployed, deadline).catch(() => undefined);
      isKeyInUse = false;
    },
    // Not in the middle of a deployment: its Delete cannot be proved.
    useKeyOf: (next: Lifetime['workspace']) => {
      if (isDeploying || isKeyInUse) return;
      workspace = next;
      state.useKeyOf(next);
    },
    keepOurKey: () => {
      workspace = 'ours';
      state.useKeyOf('ours');
      isKeyInUse = true;
    },
  };
}

function everythingIn({ lifetimes, history, registry }: FakeState): string {
  return JSON.stringify([lifetimes(), history, registry()]);
}

// As Secrets Manager does when a schedule is created: with a version that it deletes afterwards.
async function runTestStepAlone(
  state: FakeState,
  run: (token: string, step: 'testSecret') => Promise<void>,
): Promise<void> {
  if (state.secret.value('AWSPENDING') !== undefined) return;
  const token = `test-${state.nowMs()}`;
  state.changeSecret((secret) => secret.put(token, `value of ${token}`, ['AWSPENDING']));
  const count = state.count();
  await run(token, 'testSecret');
  expect(state.count()).toBe(count);
  state.changeSecret((secret) => secret.moveStage('AWSPENDING', token, undefined));
}

/**
 * Returns the subscriptions of which ingest, in the worst case, would have refused a delivery. In that case a read of all stages
 * started up to 10 s before the delivery and lasted until then, and the delivery arrived up to 50 s after the subscription was removed: Argyle waits 10 s and retries once, 30 s later.
 */
function refusalsIn({ lifetimes, history, nowMs }: FakeState): readonly string[] {
  return lifetimes().flatMap((lifetime) => {
    const from = lifetime.fromMs - mismatchReadIntervalMs;
    const until = Math.min((lifetime.untilMs ?? nowMs()) + 50_000, nowMs());
    const moments = history.flatMap(({ atMs, previousUntilMs }) =>
      [atMs, previousUntilMs].flatMap((edge) => [
        edge - mismatchReadIntervalMs - 1,
        edge - mismatchReadIntervalMs,
        edge - 1,
        edge,
        edge + 1,
      ]),
    );
    const readings = [from, until, ...moments].filter((moment) => moment >= from && moment <= until);
    const refused = readings.find((reading) => !isAccepted(lifetime, reading, history));
    return refused === undefined ? [] : [`${lifetime.subscription.id} at ${refused - lifetime.fromMs} ms of its life`];
  });
}

// Whether one of the stages has the subscription's secret during a whole reading that starts at this time.
function isAccepted({ subscription }: Lifetime, readingAtMs: number, history: readonly StagesAt[]): boolean {
  const first = history.findLastIndex(({ atMs }) => atMs <= readingAtMs);
  const endMs = readingAtMs + mismatchReadIntervalMs;
  const during = history.filter(
    ({ atMs }, index) => index === Math.max(0, first) || (atMs > readingAtMs && atMs < endMs),
  );
  return ['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'].some((stage) =>
    during.every(
      ({ values, previousUntilMs }) =>
        values[stage] === subscription.secret && (stage !== 'AWSPREVIOUS' || endMs < previousUntilMs),
    ),
  );
}

// Returns the longest time without a subscription, counted from the first one.
function maxGapMs({ lifetimes, nowMs }: FakeState): number {
  const edges = lifetimes().flatMap(({ untilMs }) => untilMs ?? []);
  const gaps = edges.map((edge) => {
    const isCovered = lifetimes().some(({ fromMs, untilMs = Infinity }) => fromMs <= edge && untilMs > edge);
    const starts = lifetimes().map(({ fromMs }) => fromMs);
    const next = Math.min(nowMs(), ...starts.filter((fromMs) => fromMs > edge));
    return isCovered ? 0 : next - edge;
  });
  return Math.max(0, ...gaps);
}
