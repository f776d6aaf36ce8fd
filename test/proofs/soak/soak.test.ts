import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConnectedPipeline, startConnectedPipeline } from '../../support/emulators/local-pipeline.ts';
import { soak } from './soak.ts';

let pipeline: ConnectedPipeline;
beforeAll(async () => {
  pipeline = await startConnectedPipeline();
});
afterAll(() => pipeline.stop());

test('reconciliation brings every record to the truth after Argyle has lost 5 % of its deliveries', async () => {
  const said: string[] = [];
  const { argyle } = pipeline;
  const options = { uploads: 60, seed: 20_261_124, say: (line: string) => said.push(line) };

  const wrong = await soak({ pipeline, argyle }, options);

  expect(wrong).toEqual([]);
  expect((await argyle.state()).deliveries.dropped).toBeGreaterThan(3);
  expect(said.join('\n')).toMatch(/before: [1-9]/);
}, 120_000);
