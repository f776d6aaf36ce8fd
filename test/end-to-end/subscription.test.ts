import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ConnectedPipeline, startConnectedPipeline } from '../support/local-pipeline.ts';

let p: ConnectedPipeline;
beforeAll(async () => {
  p = await startConnectedPipeline();
});
afterAll(() => p.stop());
test('x', async () => {
  console.log(p.warnings, (await p.argyle.state()).webhooks, p.logLines);
});
