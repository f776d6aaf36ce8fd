import { inject } from 'vitest';
import { type ArgyleControl, createArgyleControl } from '../../local/argyle/control.ts';
import { type FakeArgyleOptions, startFakeArgyle } from '../../local/argyle/fake-argyle.ts';
import { type Disturb, startWatchedPipeline, type WatchedPipeline } from './watched-pipeline.ts';

export { type QueueState, until } from './watched-pipeline.ts';

/** The local pipeline under test. */
export type TestPipeline = WatchedPipeline;

/** The local pipeline beside a fake Argyle, which `argyle` drives. */
export type ConnectedPipeline = WatchedPipeline & {
  readonly argyle: ArgyleControl;
  readonly argyleUrl: string;
  /** Subscribes at the fake as a person does. */
  readonly subscribeByHand: (webhook: object) => Promise<void>;
};

/** The key to the fake Argyle of a test. */
export const argyleKey = { apiKeyId: 'key-of-the-test', apiKeySecret: 'key-secret-of-the-test' } as const;

/** Starts the local pipeline from the assembly that the real CDK CLI made for the tests. */
export async function startTestPipeline(webhookSecret = 'secret-of-the-test'): Promise<TestPipeline> {
  return startWatchedPipeline(inject('assemblies').sandbox, webhookSecret);
}

/** Starts it with credentials, subscribed at a fake Argyle whose retry comes soon. */
export async function startConnectedPipeline(
  options: {
    readonly webhookSecret?: string;
    readonly disturb?: Disturb;
    readonly fake?: Partial<FakeArgyleOptions>;
  } = {},
): Promise<ConnectedPipeline> {
  const fake = await startFakeArgyle({ port: 0, ...argyleKey, retryDelayMs: 200, ...options.fake });
  try {
    const standIn = { ...fake, credentials: argyleKey };
    const assembly = inject('assemblies').connected;
    const { webhookSecret = 'secret-of-the-test' } = options;
    const pipeline = await startWatchedPipeline(assembly, webhookSecret, options.disturb, standIn);
    const stop = async () => {
      await pipeline.stop();
      await fake.stop();
    };
    const subscribeByHand = async (webhook: object) => {
      const key = Buffer.from(`${argyleKey.apiKeyId}:${argyleKey.apiKeySecret}`).toString('base64');
      const headers = { authorization: `Basic ${key}`, 'content-type': 'application/json' };
      await fetch(`${fake.url}/webhooks`, { method: 'POST', headers, body: JSON.stringify(webhook) });
    };
    const argyle = createArgyleControl(fake.controlUrl);
    return { ...pipeline, argyle, argyleUrl: fake.url, subscribeByHand, stop };
  } catch (error) {
    await fake.stop();
    throw error;
  }
}
