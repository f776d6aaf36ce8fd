import fc from 'fast-check';
import { expect, test } from 'vitest';
import { physicalIdOf } from '../../../functions/domain/subscription-registry.ts';
import { createRotation } from '../../../functions/rotation/handler.ts';
import { subscribe, unsubscribe } from '../../../functions/subscription/change-subscription.ts';
import { rotationSteps } from '../../../tools/local/secrets-manager.ts';
import { fakeTelemetry } from '../../support/fakes/fakes.ts';
import {
  createSubscriptionWorld,
  type Death,
  receiverUrl,
  type SubscriptionWorld,
} from '../../support/fakes/subscription-world.ts';
import { longestGapMs, refusalsIn } from '../../support/refusals.ts';

const keys = ['first', 'second'].map((name) => ({ url: receiverUrl, name }));
const [key] = keys as [(typeof keys)[number]];
const whole = new AbortController().signal;
const isRollingBack = async () => false;

type Happening =
  | {
      readonly kind: 'step';
      readonly token: string;
      readonly step: (typeof rotationSteps)[number];
      readonly death?: Death;
    }
  | { readonly kind: 'deployment'; readonly name: number; readonly death?: Death }
  | { readonly kind: 'deployment while a step waits'; readonly name: number }
  | { readonly kind: 'deployment beside a step'; readonly name: number; readonly step: (typeof rotationSteps)[number] }
  | { readonly kind: 'test alone' }
  | { readonly kind: 'pass'; readonly hours: number };

const death = fc.option(fc.record({ atCall: fc.nat(18), isAfter: fc.boolean() }), { nil: undefined });
const step = fc.record({
  kind: fc.constant('step' as const),
  token: fc.constantFrom('token-1', 'token-1', 'token-2'),
  step: fc.constantFrom(...rotationSteps),
  death,
});
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: step as fc.Arbitrary<Happening> },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('deployment' as const),
      name: fc.nat(1),
      death,
    }) as fc.Arbitrary<Happening>,
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('deployment while a step waits' as const), name: fc.nat(1) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('deployment beside a step' as const),
      name: fc.nat(1),
      step: fc.constantFrom(...rotationSteps),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'test alone' } as const) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), hours: fc.integer({ min: 0, max: 40 }) }) },
);

test('a rotation, interrupted anywhere, repeated and mixed with deployments, refuses nothing and ends as it should', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 14 }), async (happenings) => {
      const story = await tell(happenings);
      await story.rotate('token-of-the-end');

      const { world } = story;
      expect(refusalsIn(world)).toEqual([]);
      expect(longestGapMs(world)).toBe(0);
      expect(world.secret.value('AWSPENDING')).toBeUndefined();
      const current = world.secret.value('AWSCURRENT');
      expect(world.secret.find(undefined, 'AWSCURRENT')?.[0]).toBe('token-of-the-end');
      expect(world.own(story.deployed()).map(({ secret }) => secret)).toEqual([current]);
      // Somebody else's is the other one.
      expect(world.count()).toBe(2);
    }),
    { numRuns: Number(process.env.RUNS ?? 500) },
  );
});

async function tell(happenings: readonly Happening[]) {
  const world = createSubscriptionWorld();
  let deployed = key;
  world.subscribe({ ...key, url: 'https://somebody.else.example.com/' }, 'secret of others');
  const { telemetry } = fakeTelemetry();
  let secrets = 0;
  let isDeploying = false;
  const deploy = async (next: typeof key, dies?: Death) => {
    // CloudFormation refuses a second one.
    if (isDeploying) return;
    isDeploying = true;
    const before = deployed;
    const change = (death?: Death) =>
      subscribe({ ...world.invocation(death), isRollingBack }, next, physicalIdOf(before), () => undefined, whole);
    // Lambda tries again what died.
    await change(dies).catch(() => change());
    deployed = next;
    if (next !== before)
      await unsubscribe({ ...world.invocation(), isRollingBack }, physicalIdOf(before), 'stack', whole);
    isDeploying = false;
  };
  const run = async (token: string, name: (typeof rotationSteps)[number], dies?: Death) => {
    if (!world.secret.find(token, '') && world.secret.value('AWSPENDING') === undefined)
      world.changeSecret((secret) => secret.put(token, undefined, ['AWSPENDING']));
    const newSecret = () => `secret-${++secrets}`;
    const rotation = createRotation({ ...world.invocation(dies), newSecret, telemetry, stepMs: 60_000 });
    await rotation({ Step: name, SecretId: 'secret', ClientRequestToken: token });
  };
  await deploy(key);
  // Ingest, too, was there before the first delivery.
  world.pass(120_000);
  for (const one of happenings) {
    if (one.kind === 'step') await run(one.token, one.step, one.death).catch(() => undefined);
    if (one.kind === 'deployment') await deploy(keys[one.name] ?? key, one.death);
    if (one.kind === 'deployment while a step waits') world.intrudeOnce(() => deploy(keys[one.name] ?? key));
    if (one.kind === 'deployment beside a step')
      await Promise.allSettled([run('token-1', one.step), deploy(keys[one.name] ?? key)]);
    if (one.kind === 'pass') world.pass(one.hours * 3_600_000);
    if (one.kind === 'test alone') await testAlone(world, run);
  }
  return {
    world,
    deployed: () => deployed,
    rotate: async (token: string) => {
      for (const name of rotationSteps) await run(token, name);
    },
  };
}

// As Secrets Manager does when a schedule is made: a version for the test, taken away again.
async function testAlone(
  world: SubscriptionWorld,
  run: (token: string, step: 'testSecret') => Promise<void>,
): Promise<void> {
  if (world.secret.value('AWSPENDING') !== undefined) return;
  const token = `test-${world.nowMs()}`;
  world.changeSecret((secret) => secret.put(token, `value of ${token}`, ['AWSPENDING']));
  const before = world.count();
  await run(token, 'testSecret');
  expect(world.count()).toBe(before);
  world.changeSecret((secret) => secret.moveStage('AWSPENDING', token, undefined));
}
