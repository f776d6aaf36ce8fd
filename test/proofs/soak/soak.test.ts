import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConnectedPipeline, startConnectedPipeline } from '../../support/emulators/local-pipeline.ts';
import { soak } from './soak.ts';

let pipeline: ConnectedPipeline;
beforeAll(async () => {
  pipeline = await startConnectedPipeline();
});
afterAll(() => pipeline.stop());

test('reconciliation repairs every record after Argyle has lost 5 % of its deliveries', async () => {
  const { argyle } = pipeline;
  const lines: string[] = [];

  const differing = await soak({ pipeline, argyle }, { uploads: 60, seed: 20_261_124 }, (line) => lines.push(line));

  expect(differing).toEqual([]);
  expect((await argyle.state()).deliveries.dropped).toBeGreaterThan(3);
  expect(lines.join('\n')).toMatch(/before: [1-9]/);
});
