import { inject } from 'vitest';
import { createArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { type FakeArgyleOptions, startFakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';
import { type Disturb, startWatchedPipeline, type WatchedPipeline } from './watched-pipeline.ts';

export { type QueueState, until } from './watched-pipeline.ts';

/** The local pipeline under test. */
export type TestPipeline = WatchedPipeline;

/** The local pipeline beside a fake Argyle, which `argyle` drives. */
export type ConnectedPipeline = Awaited<ReturnType<typeof startConnectedPipeline>>;

/** The key to the fake Argyle of a test. */
export const argyleKey = { apiKeyId: 'key-of-the-test', apiKeySecret: 'key-secret-of-the-test' } as const;

/** Starts the local pipeline from the assembly that the real CDK CLI made for the tests. */
export async function startTestPipeline(
  webhookSecret = 'secret-of-the-test',
  stage: 'sandbox' | 'production' = 'sandbox',
): Promise<TestPipeline> {
  return startWatchedPipeline(inject('assemblies')[stage], webhookSecret);
}

/** Starts it with credentials, beside a fake Argyle whose retry comes soon. */
export async function startConnectedPipeline(
  options: {
    readonly webhookSecret?: string;
    readonly disturb?: Disturb;
    readonly fake?: Partial<FakeArgyleOptions>;
  } = {},
) {
  const fake = await startFakeArgyle({ port: 0, ...argyleKey, retryDelayMs: 200, ...options.fake });
  try {
    const standIn = { ...fake, credentials: argyleKey };
    const assembly = inject('assemblies').connected;
    const pipeline = await startWatchedPipeline(
      assembly,
      options.webhookSecret ?? 'secret-of-the-test',
      options.disturb,
      standIn,
    );
    const stop = async () => {
      await pipeline.stop();
      await fake.stop();
    };
    return {
      ...pipeline,
      argyle: createArgyleControl(fake.controlUrl),
      argyleUrl: fake.url,
      /** Subscribes as a person does. */
      subscribeByHand: (webhook: object) => postWebhook(fake.url, webhook),
      stop,
    };
  } catch (error) {
    await fake.stop();
    throw error;
  }
}

async function postWebhook(url: string, webhook: object): Promise<void> {
  const authorization = `Basic ${Buffer.from(`${argyleKey.apiKeyId}:${argyleKey.apiKeySecret}`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/json' };
  await fetch(`${url}/webhooks`, { method: 'POST', headers, body: JSON.stringify(webhook) });
}
