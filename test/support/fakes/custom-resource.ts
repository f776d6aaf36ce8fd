import { setTimeout as wait } from 'node:timers/promises';
import { createAskArgyle } from '../../../functions/argyle/argyle-api.ts';
import type { Sleep } from '../../../functions/argyle/retry.ts';
import { createWebhooks } from '../../../functions/argyle/webhooks.ts';
import { createAnswerStack } from '../../../functions/aws/cloudformation.ts';
import type { SubscriptionKey } from '../../../functions/domain/subscription.ts';
import { createSubscription } from '../../../functions/subscription/handler.ts';
import { createArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { startFakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';
import { startCloudFormation } from '../../../tools/local/cloudformation.ts';
import { fakeTelemetry } from './fakes.ts';
import { createFakeState } from './subscription-state.ts';

const key = { apiKeyId: 'id', apiKeySecret: 'key-secret' };

/** A fake Argyle in its own process and a fake CloudFormation, started once for all tests of a file. */
export type FakeServers = Awaited<ReturnType<typeof startFakeServers>>;

export type CustomResource = Awaited<ReturnType<typeof createCustomResource>>;

export async function startFakeServers() {
  const argyleLines: string[] = [];
  const fake = await startFakeArgyle({ port: 0, ...key, onLog: (line) => argyleLines.push(line) });
  const cloudformation = await startCloudFormation();
  const stop = async () => {
    await cloudformation.stop();
    await fake.stop();
  };
  return { argyleLines, fake, cloudformation, argyle: createArgyleControl(fake.controlUrl), stop };
}

/** Resets the fake Argyle. Creates the subscription function of a stack with this webhook secret that is not deployed yet. */
export async function createCustomResource(servers: FakeServers, webhookSecret: string) {
  const { argyleLines, argyle, fake, cloudformation } = servers;
  await argyle.reset();
  argyleLines.length = 0;
  const state = createFakeState(webhookSecret);
  const { telemetry, errors } = fakeTelemetry();
  const pauses: number[] = [];
  let maxPauses = Number.POSITIVE_INFINITY;
  let isRollingBack = false;
  let credentials = key;
  let workMs = 20_000;
  let registryFailure: { readonly error: unknown } | undefined;

  // Far shorter than requested, but long enough to let other work run.
  const sleep: Sleep = async (milliseconds, signal) => {
    if (pauses.length >= maxPauses) throw new Error('The function ran out of time.');
    pauses.push(milliseconds);
    await wait(5, undefined, { signal });
  };
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const authorization = `Basic ${Buffer.from(`${key.apiKeyId}:${key.apiKeySecret}`).toString('base64')}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const response = await fetch(`${fake.url}${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    return response.status === 204 ? undefined : response.json();
  };
  const withRegistryFailure = (invocation: ReturnType<typeof state.invocation>) => {
    const { registry } = invocation;
    const read: typeof registry.read = async (signal) => {
      if (registryFailure) throw registryFailure.error;
      return registry.read(signal);
    };
    return { ...invocation, registry: { ...registry, read } };
  };
  const createHandler = () =>
    createSubscription({
      ...withRegistryFailure(state.invocation()),
      webhooks: createWebhooks(
        createAskArgyle(fake.url, async () => credentials),
        'argyle/api-key',
      ),
      sleep,
      isRollingBack: async () => isRollingBack,
      answerStack: createAnswerStack(sleep),
      telemetry,
      workMs,
    });
  const change = async (RequestType: string, ResourceProperties: SubscriptionKey, PhysicalResourceId?: string) => {
    const handler = createHandler();
    const resource = { LogicalResourceId: 'Subscription', ResourceType: 'Custom::ArgyleSubscription' };
    const event = { RequestType, ...resource, ResourceProperties, ...(PhysicalResourceId && { PhysicalResourceId }) };
    return cloudformation.change(
      (sent) => handler(sent as Parameters<typeof handler>[0]),
      event as unknown as Parameters<typeof cloudformation.change>[1],
    );
  };

  return {
    state,
    errors,
    pauses,
    argyleLines,
    argyle,
    create: (key: SubscriptionKey) => change('Create', key),
    update: (physicalId: string, key: SubscriptionKey) => change('Update', key, physicalId),
    remove: (physicalId: string, key: SubscriptionKey) => change('Delete', key, physicalId),
    /** Re-creates the subscriptions, as an operator can. */
    resubscribe: (key: SubscriptionKey) => createHandler()({ resubscribe: key }),
    /** Subscribes through Argyle's API without the stack, as an operator can. */
    subscribeByHand: (webhook: object) => call('POST', '/webhooks', webhook),
    unsubscribeByHand: (id: string) => call('DELETE', `/webhooks/${id}`),
    /** Lists the subscriptions as Argyle returns them, including the secrets. */
    subscriptions: async (wanted: SubscriptionKey) => {
      const { results } = (await call('GET', '/webhooks?limit=200')) as {
        results: (SubscriptionKey & { id: string; secret: string; events: string[] })[];
      };
      return results.filter(({ url, name }) => url === wanted.url && name === wanted.name);
    },
    refuseKey: () => {
      credentials = { ...key, apiKeySecret: 'revoked' };
    },
    rollBack: () => {
      isRollingBack = true;
    },
    /** Lets every read of the registry throw this. */
    failRegistry: (error: unknown) => {
      registryFailure = { error };
    },
    limitWork: (milliseconds: number) => {
      workMs = milliseconds;
    },
    /** Ends the function's time at its next pause after this number of pauses. */
    limitPauses: (count: number) => {
      maxPauses = count;
    },
  };
}
