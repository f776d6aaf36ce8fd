import { inject } from 'vitest';
import { createArgyleControl } from '../../local/argyle/control.ts';
import { startFakeArgyle } from '../../local/argyle/fake-argyle.ts';
import { type Disturb, startWatchedPipeline, type WatchedPipeline } from './watched-pipeline.ts';

export { type QueueState, until } from './watched-pipeline.ts';

/** The local pipeline under test. */
export type TestPipeline = WatchedPipeline;

/** The local pipeline with credentials, beside the fake Argyle that it subscribed at. */
export type ConnectedPipeline = Awaited<ReturnType<typeof startConnectedPipeline>>;

const credentials = { apiKeyId: 'key-of-the-test', apiKeySecret: 'key-secret-of-the-test' };

/** Starts the local pipeline from the assembly that the real CDK CLI made for the tests. */
export async function startTestPipeline(webhookSecret = 'secret-of-the-test'): Promise<TestPipeline> {
  return startWatchedPipeline(inject('assemblies').sandbox, webhookSecret);
}

/** Starts it with credentials and a fake Argyle, whose retries come after 1 s instead of 30. */
export async function startConnectedPipeline(webhookSecret = 'secret-of-the-test', disturb?: Disturb) {
  const fake = await startFakeArgyle({ port: 0, ...credentials, retryDelayMs: 1_000 });
  const assembly = inject('assemblies').connected;
  try {
    const pipeline = await startWatchedPipeline(assembly, webhookSecret, disturb, { ...fake, credentials });
    return {
      ...pipeline,
      argyle: createArgyleControl(fake.controlUrl),
      argyleUrl: fake.url,
      /** Subscribes as a person does. */
      subscribeByHand: async (webhook: object) => {
        const authorization = `Basic ${Buffer.from(`${credentials.apiKeyId}:${credentials.apiKeySecret}`).toString('base64')}`;
        const headers = { authorization, 'content-type': 'application/json' };
        await fetch(`${fake.url}/webhooks`, { method: 'POST', headers, body: JSON.stringify(webhook) });
      },
      credentials,
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
