import { afterAll, beforeAll, expect, test } from 'vitest';
import { environment } from '../../functions/aws/environment.ts';
import { rotateSecret } from '../../tools/local/secrets-manager.ts';
import { valuesOf } from '../../tools/local/wiring.ts';
import { type ConnectedPipeline, startConnectedPipeline, until } from '../support/emulators/local-pipeline.ts';

let pipeline: ConnectedPipeline;
beforeAll(async () => {
  pipeline = await startConnectedPipeline({ webhookSecret: 'secret-before' });
});
afterAll(() => pipeline.stop());

const subscriptionIds = async () => (await pipeline.argyle.state()).webhooks.map(({ id }) => id);
const secret = () => {
  const [id = ''] = valuesOf(environment.webhookSecretId, pipeline);
  const found = pipeline.secrets.get(id);
  if (!found) throw new Error('There is no webhook secret.');
  return found;
};

test('the step testSecret alone changes nothing', async () => {
  const before = await subscriptionIds();

  await rotateSecret(pipeline, 'for-the-test', ['testSecret']);

  expect(await subscriptionIds()).toEqual(before);
  expect(secret().value('AWSCURRENT')).toBe('secret-before');
  secret().moveStage('AWSPENDING', 'for-the-test', undefined);
});

test('a rotation with the key of another workspace changes nothing', async () => {
  const before = await subscriptionIds();
  await pipeline.argyle.setFaults({ otherWorkspace: { uploads: 1, seed: 1 } });

  await expect(rotateSecret(pipeline, 'with-a-wrong-key')).rejects.toThrow('stopped in createSecret');

  await pipeline.argyle.clearFaults();
  expect(await subscriptionIds()).toEqual(before);
  expect(secret().value('AWSCURRENT')).toBe('secret-before');
  // Secrets Manager itself created the version, without a value.
  expect(secret().value('AWSPENDING')).toBeUndefined();
  expect(pipeline.logLines.join('')).toContain('belongs to another workspace or environment');
  secret().moveStage('AWSPENDING', 'with-a-wrong-key', undefined);
});

test('a rotation replaces the subscription by one that is signed with the new secret', async () => {
  const before = await subscriptionIds();

  await rotateSecret(pipeline);

  const after = await subscriptionIds();
  expect(after).toHaveLength(1);
  expect(after).not.toEqual(before);
  expect(secret().value('AWSCURRENT')).toMatch(/^[0-9a-f]{64}$/);
  expect(secret().value('AWSPREVIOUS')).toBe('secret-before');
  expect(secret().value('AWSPENDING')).toBeUndefined();
  // The test skipped the rotation's waits, so ingest still caches the old secret. New environments have no cache.
  for (const lambda of pipeline.functions.values()) for (const pid of lambda.pids()) process.kill(pid, 'SIGKILL');
  await until(async () => (await pipeline.fetchConsole('/healthz')).status === 200);
  const { userUpload } = await pipeline.argyle.uploadDocument();
  await until(async () => (await pipeline.readRecord(userUpload)) !== undefined);
});

test('no log line contains a secret', () => {
  const secrets = ['secret-before', secret().value('AWSCURRENT') ?? 'none'];
  expect(pipeline.logLines.filter((line) => secrets.some((value) => line.includes(value)))).toEqual([]);
});
