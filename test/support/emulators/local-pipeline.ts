import { inject } from 'vitest';
import { createArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { type FakeArgyleOptions, startFakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';
import { chosenEnvironment, withoutRotationWaits } from './runtime-client.ts';
import { type Disturb, startWatchedPipeline, type WatchedPipeline } from './watched-pipeline.ts';

export { type QueueState, until } from './watched-pipeline.ts';

export type TestPipeline = WatchedPipeline;

/** The local pipeline with a fake Argyle, which `argyle` controls. */
export type ConnectedPipeline = Awaited<ReturnType<typeof startConnectedPipeline>>;

/** The API key that the fake Argyle accepts. */
export const argyleKey = { apiKeyId: 'key-of-the-test', apiKeySecret: 'key-secret-of-the-test' } as const;

/** Starts the local pipeline without credentials for Argyle. */
export async function startTestPipeline(
  webhookSecret = 'secret-of-the-test',
  stage: 'sandbox' | 'production' = 'sandbox',
  disturb?: Disturb,
): Promise<TestPipeline> {
  return startWatchedPipeline(inject('assemblies')[stage], webhookSecret, disturb);
}

/**
 * Starts the local pipeline with credentials and with a fake Argyle, which retries a delivery after 200 ms. Rotations do not
 * wait.
 */
export async function startConnectedPipeline({
  webhookSecret = 'secret-of-the-test',
  disturb,
  fake: fakeOptions,
}: {
  readonly webhookSecret?: string;
  readonly disturb?: Disturb;
  readonly fake?: Partial<FakeArgyleOptions>;
} = {}) {
  const fake = await startFakeArgyle({ port: 0, ...argyleKey, retryDelayMs: 200, ...fakeOptions });
  try {
    const access = { ...fake, credentials: argyleKey };
    const pipeline = await startWatchedPipeline(
      inject('assemblies').connected,
      webhookSecret,
      disturb,
      access,
      undefined,
      withoutRotationWaits(chosenEnvironment()),
    );
    return {
      ...pipeline,
      argyle: createArgyleControl(fake.controlUrl),
      argyleUrl: fake.url,
      /** Subscribes a webhook through Argyle's API, as an operator can. */
      subscribeByHand: (webhook: object) => ask(fake.url, 'POST', '/webhooks', webhook),
      unsubscribeByHand: (id: string) => ask(fake.url, 'DELETE', `/webhooks/${id}`),
      stop: async () => {
        await pipeline.stop();
        await fake.stop();
      },
    };
  } catch (error) {
    await fake.stop();
    throw error;
  }
}

async function ask(url: string, method: string, path: string, body?: object): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${argyleKey.apiKeyId}:${argyleKey.apiKeySecret}`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/json' };
  await fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}
