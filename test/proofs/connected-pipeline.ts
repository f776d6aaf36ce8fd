import { type ArgyleControl, createArgyleControl } from '../../tools/fake-argyle/control.ts';
import { type FakeArgyleOptions, startFakeArgyle } from '../../tools/fake-argyle/fake-argyle.ts';
import type { StartEnvironment } from '../../tools/local/lambda.ts';
import { synthesize, withoutStageSettings } from '../../tools/local/synthesize.ts';
import { type Disturb, startWatchedPipeline, type WatchedPipeline } from '../support/emulators/watched-pipeline.ts';

/** The local pipeline, and the fake Argyle that it is connected to. */
export type Connected = { readonly pipeline: WatchedPipeline; readonly argyle: ArgyleControl };

type Options = {
  readonly fake?: Partial<FakeArgyleOptions>;
  readonly disturb?: Disturb;
  readonly readLine?: (line: string) => void;
  readonly startEnvironment?: StartEnvironment;
};

/** Runs `work` on a newly synthesized sandbox with credentials for a fake Argyle, then stops both. */
export async function withConnectedPipeline<Result>(
  { fake: fakeOptions, disturb, readLine, startEnvironment }: Options,
  work: (connected: Connected) => Promise<Result>,
): Promise<Result> {
  const credentials = { apiKeyId: 'id', apiKeySecret: 'secret' };
  const assembly = await synthesize({ ...withoutStageSettings, argyleCredentials: 'argyle/api-key' });
  const fake = await startFakeArgyle({ port: 0, ...credentials, ...fakeOptions });
  const standIn = { ...fake, credentials };
  try {
    const pipeline = await startWatchedPipeline(
      assembly.directory,
      'webhook-secret',
      disturb,
      standIn,
      readLine,
      startEnvironment,
    );
    try {
      return await work({ pipeline, argyle: createArgyleControl(fake.controlUrl) });
    } finally {
      await pipeline.stop();
    }
  } finally {
    await fake.stop();
    await assembly.remove();
  }
}
