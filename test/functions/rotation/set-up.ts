import { beforeEach } from 'vitest';
import { createRotation } from '../../../functions/rotation/handler.ts';
import { subscribe } from '../../../functions/subscription/change-subscription.ts';
import type { rotationSteps } from '../../../tools/local/secrets-manager.ts';
import { fakeTelemetry } from '../../support/fakes/fakes.ts';
import { createFakeState, type FakeState, receiverUrl } from '../../support/fakes/subscription-state.ts';

export const key = { url: receiverUrl, name: 'uploads' };
export const token = 'token-1';
export const deadline = new AbortController().signal;

type Step = (typeof rotationSteps)[number];

/** Subscribes the stack at a fake Argyle before each test. `run` runs one step of a rotation. */
export function useRotation() {
  const it = {} as { state: FakeState; telemetry: ReturnType<typeof fakeTelemetry> };
  const deploy = () =>
    subscribe(
      { ...it.state.invocation(), isRollingBack: async () => false },
      { key, previousId: undefined, stackId: 'stack', onChange: () => undefined },
      deadline,
    );
  beforeEach(async () => {
    it.state = createFakeState('secret-0');
    it.telemetry = fakeTelemetry();
    await deploy();
  });
  return {
    it,
    deploy,
    stagesOf: (id: string) => [...(it.state.secret.find(id, '')?.[1].stages ?? [])],
    run: (Step: Step, id = token, changed: Partial<ReturnType<FakeState['invocation']>> = {}) => {
      const newSecret = () => `secret of ${id}`;
      const { telemetry } = it.telemetry;
      const dependencies = { ...it.state.invocation(), ...changed, newSecret, telemetry, stepMs: 60_000 };
      return createRotation(dependencies)({ Step, SecretId: 'webhook-secret', ClientRequestToken: id });
    },
    /** As Secrets Manager does before the first step. */
    begin: () => it.state.changeSecret((secret) => secret.put(token, undefined, ['AWSPENDING'])),
  };
}
