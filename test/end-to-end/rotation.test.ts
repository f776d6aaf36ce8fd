import { afterAll, beforeAll, expect, test } from 'vitest';
import { environment } from '../../functions/aws/environment.ts';
import { rotateSecret } from '../../tools/local/rotate-secret.ts';
import { valuesOf } from '../../tools/local/wiring.ts';
import { type ConnectedPipeline, startConnectedPipeline, until } from '../support/emulators/local-pipeline.ts';
import { rotateWithoutWaits } from '../support/emulators/rotate-without-waits.ts';

let pipeline: ConnectedPipeline;
beforeAll(async () => {
  pipeline = await startConnectedPipeline({ webhookSecret: 'secret-before' });
});
afterAll(() => pipeline.stop());

const secret = () => {
  const [id = ''] = valuesOf(environment.webhookSecretId, pipeline);
  const found = pipeline.secrets.get(id);
  if (!found) throw new Error('There is no webhook secret.');
  return found;
};

test('the test step alone, through the bundle, changes nothing', async () => {
  const [{ id } = {}] = (await pipeline.argyle.state()).webhooks;

  await rotateSecret(pipeline, 'for-the-test', ['testSecret']);

  expect((await pipeline.argyle.state()).webhooks.map((webhook) => webhook.id)).toEqual([id]);
  expect(secret().value('AWSCURRENT')).toBe('secret-before');
  secret().moveStage('AWSPENDING', 'for-the-test', undefined);
});

test('a rotation on the engines ends with a subscription that ingest knows, and the old one gone', async () => {
  const before = (await pipeline.argyle.state()).webhooks;

  await rotateWithoutWaits(pipeline);

  const after = (await pipeline.argyle.state()).webhooks;
  expect(after).toHaveLength(1);
  expect(after.map(({ id }) => id)).not.toEqual(before.map(({ id }) => id));
  expect(secret().value('AWSCURRENT')).toMatch(/^[0-9a-f]{64}$/);
  expect(secret().value('AWSPREVIOUS')).toBe('secret-before');
  expect(secret().value('AWSPENDING')).toBeUndefined();
  // The waits were left out, so ingest's caches are old: new environments have none.
  for (const lambda of pipeline.functions.values()) for (const pid of lambda.pids()) process.kill(pid, 'SIGKILL');
  await until(async () => (await pipeline.fetchConsole('/healthz')).status === 200);
  const { userUpload } = await pipeline.argyle.uploadDocument();
  await until(async () => (await pipeline.readRecord(userUpload)) !== undefined);
});

test('no log line holds a secret', () => {
  const secrets = ['secret-before', secret().value('AWSCURRENT') ?? 'none'];
  expect(pipeline.logLines.filter((line) => secrets.some((value) => line.includes(value)))).toEqual([]);
});
