import { inject } from 'vitest';
import { startWatchedPipeline, type WatchedPipeline } from './watched-pipeline.ts';

export { type QueueState, until } from './watched-pipeline.ts';

/** The local pipeline under test. */
export type TestPipeline = WatchedPipeline;

/** Starts the local pipeline from the assembly that the real CDK CLI made for the tests. */
export async function startTestPipeline(webhookSecret = 'secret-of-the-test'): Promise<TestPipeline> {
  return startWatchedPipeline(inject('assemblies').sandbox, webhookSecret);
}
