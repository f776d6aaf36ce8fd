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
import { createSubscriptionWorld } from './subscription-world.ts';

const key = { apiKeyId: 'id', apiKeySecret: 'key-secret' };

/** A fake Argyle in its own process, and a small CloudFormation: started once for the tests of a file. */
export type Surroundings = Awaited<ReturnType<typeof startSurroundings>>;

/** The subscription's function in them. */
export type CustomResource = Awaited<ReturnType<typeof createCustomResource>>;

export async function startSurroundings() {
  const argyleLines: string[] = [];
  const fake = await startFakeArgyle({ port: 0, ...key, onLog: (line) => argyleLines.push(line) });
  const cloudformation = await startCloudFormation();
  const stop = async () => {
    await cloudformation.stop();
    await fake.stop();
  };
  return { argyleLines, fake, cloudformation, argyle: createArgyleControl(fake.controlUrl), stop };
}

/** Empties the fake Argyle; gives the function of a stack that has this webhook secret and is not deployed yet. */
export async function createCustomResource(surroundings: Surroundings, webhookSecret: string) {
  const { argyleLines, argyle, fake, cloudformation } = surroundings;
  await argyle.reset();
  argyleLines.length = 0;
  const world = createSubscriptionWorld(webhookSecret);
  const { telemetry, errors } = fakeTelemetry();
  const pauses: number[] = [];
  let isRollingBack = false;
  let credentials = key;
  let workMs = 20_000;

  // Noted, and cut short: but never so short that nothing else runs.
  const sleep: Sleep = async (milliseconds, signal) => {
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
    return response.json();
  };
  const change = async (
    request: { RequestType: string; PhysicalResourceId?: string; before?: SubscriptionKey } & SubscriptionKey,
  ) => {
    const { RequestType, PhysicalResourceId, before, ...ResourceProperties } = request;
    const askArgyle = createAskArgyle(fake.url, async () => credentials);
    const handler = createSubscription({
      ...world.invocation(),
      webhooks: createWebhooks(askArgyle, 'argyle/api-key'),
      sleep,
      isRollingBack: async () => isRollingBack,
      answerStack: createAnswerStack(sleep),
      telemetry,
      workMs,
    });
    const about = { LogicalResourceId: 'Subscription', ResourceType: 'Custom::ArgyleSubscription', ResourceProperties };
    const event = { RequestType, ...about, PhysicalResourceId, OldResourceProperties: before };
    return cloudformation.change(
      (sent) => handler(sent as Parameters<typeof handler>[0]),
      event as Parameters<typeof cloudformation.change>[1],
    );
  };

  return {
    world,
    errors,
    pauses,
    argyleLines,
    argyle,
    create: (wanted: SubscriptionKey) => change({ RequestType: 'Create', ...wanted }),
    update: (PhysicalResourceId: string, wanted: SubscriptionKey) =>
      change({ RequestType: 'Update', PhysicalResourceId, ...wanted }),
    remove: (PhysicalResourceId: string, was: SubscriptionKey) =>
      change({ RequestType: 'Delete', PhysicalResourceId, ...was }),
    /** Subscribes as a person does, with whatever the person chose. */
    subscribeByHand: (webhook: object) => call('POST', '/webhooks', webhook),
    /** The subscriptions in Argyle's own words, the secrets among them. */
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
    limitWork: (milliseconds: number) => {
      workMs = milliseconds;
    },
  };
}
