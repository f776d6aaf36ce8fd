import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import {
  coldReadIntervalMs,
  ingestDeadlineMs,
  mismatchReadIntervalMs,
} from '../../../functions/domain/secret-cache-times.ts';
import { createSecretWorld, type Delivery, type SecretWorld, signers } from '../../support/fakes/secret-world.ts';

const [second, minute, hour] = [1_000, 60_000, 3_600_000];
const environments = 3;

const anyEnvironment = fc.nat(environments - 1);
const anySigner = fc.constantFrom(...signers);
const anyPause = fc.oneof(
  fc.integer({ min: 0, max: second }),
  fc.integer({ min: 0, max: 90 * second }),
  fc.integer({ min: 0, max: 20 * minute }),
);
const anyShortTime = fc.integer({ min: -second, max: minute });
const anyBehaviour = fc.oneof(
  fc.constant({ delayMs: 5 }),
  fc.record({ delayMs: fc.integer({ min: 0, max: 7 * second }) }),
  fc.record({ delayMs: fc.integer({ min: 0, max: 3 * second }), fails: fc.constant(true) }),
  fc.constant({ delayMs: Number.POSITIVE_INFINITY }),
);

type Step = (world: SecretWorld) => Promise<void>;
const step = <Facts extends object>(
  weight: number,
  facts: { [Name in keyof Facts]: fc.Arbitrary<Facts[Name]> },
  act: (world: SecretWorld, facts: Facts) => Promise<void> | void,
) => ({
  weight,
  arbitrary: fc.record(facts).map((values) => {
    const run = async (world: SecretWorld) => act(world, values as Facts);
    return Object.assign(run, { [fc.toStringMethod]: () => `${act.name} ${JSON.stringify(values)}` });
  }),
});
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  step(6, { environment: anyEnvironment, signer: anySigner }, function deliver(world, { environment, signer }) {
    world.deliver(environment, signer);
  }),
  step(4, { environment: anyEnvironment, count: fc.integer({ min: 1, max: 40 }) }, async function flood(world, facts) {
    for (let sent = 0; sent < facts.count; sent += 1) {
      world.deliver(facts.environment, 'forged');
      await world.passTime(500);
    }
  }),
  step(6, { ms: anyPause }, function wait(world, { ms }) {
    return world.passTime(ms);
  }),
  step(3, { behaviour: anyBehaviour }, function secretsManagerIs(world, { behaviour }) {
    world.behave(behaviour);
  }),
  step(2, { environment: anyEnvironment }, function coldStart(world, { environment }) {
    world.coldStart(environment);
  }),
  step(3, {}, function rotate(world) {
    world.startRotation();
  }),
  step(
    4,
    { environment: anyEnvironment, laterMs: anyShortTime },
    async function stagesMove(world, { environment, laterMs }) {
      world.behave({ delayMs: 5 });
      world.startRotation();
      await world.passTime(Math.max(0, world.msToNextChange() + laterMs));
      for (const signer of ['forged', 'pending', 'current'] as const) world.deliver(environment, signer);
      await world.passTime(second);
    },
  ),
  step(1, { hours: fc.integer({ min: 1, max: 30 }) }, function waitHours(world, { hours }) {
    return world.passTime(hours * hour);
  }),
);

const anySteps = fc.array(anyStep, { minLength: 5, maxLength: 40 });
// How long Secrets Manager may return an earlier state after a change.
const anyMaxLag = fc.constantFrom(0, 0, minute);

afterEach(() => vi.useRealTimers());

test('whatever Secrets Manager does, deliveries are verified correctly, in time and with few reads', async () => {
  await fc.assert(
    fc.asyncProperty(anySteps, anyMaxLag, async (steps, maxLagMs) => {
      vi.useFakeTimers({ now: Date.parse('2026-11-24T10:00:00.000Z') });
      const world = createSecretWorld(environments, maxLagMs);
      for (const run of steps) await run(world);
      await world.passTime(10 * second);

      const { deliveries } = world;
      expect(deliveries.filter(({ answer }) => answer === undefined)).toEqual([]);
      expect(deliveries.filter(isFalselyRefused)).toEqual([]);
      expect(deliveries.filter(isFalselyAccepted)).toEqual([]);
      expect(deliveries.filter(isNeedlesslyDelayed)).toEqual([]);
      expect(deliveries.filter(({ tookMs }) => tookMs > ingestDeadlineMs)).toEqual([]);
      // Each of these reads starts up to the deadline after its first part, the read of the current secret.
      const fourReadsMs = 3 * mismatchReadIntervalMs - ingestDeadlineMs;
      expect(world.readTimes('AWSPENDING').flatMap((times) => closerThan(fourReadsMs, 3, times))).toEqual([]);
      // Reads of the current secret: to refresh it, while there is no copy, after a mismatch, and after a failed read ahead.
      const current = world.readTimes('AWSCURRENT');
      expect(current.flatMap((times) => closerThan(coldReadIntervalMs, 4, times))).toEqual([]);
      vi.useRealTimers();
    }),
    { numRuns: Number(process.env.RUNS ?? 400) },
  );
}, 60_000);

// 401: Argyle does not retry it.
function isFalselyRefused({ isValid, answer }: Delivery): boolean {
  return isValid && answer === false;
}

function isFalselyAccepted({ wasValid, answer }: Delivery): boolean {
  return !wasValid && answer === true;
}

function isNeedlesslyDelayed({ hasUsableCopy, answer, tookMs }: Delivery): boolean {
  return hasUsableCopy && (answer !== true || tookMs > 2 * second);
}

/** Returns the times that are less than `ms` after the time `count` places before them. */
function closerThan(ms: number, count: number, times: readonly number[]): readonly number[] {
  return times.filter((time, index) => index >= count && time - (times[index - count] ?? 0) < ms);
}
