import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSecretVersions, type SecretVersions, stages } from '../../../functions/aws/secret-versions.ts';
import type { Emulator } from '../../../tools/local/loopback.ts';
import { createSecret, type LocalSecret, startSecretsManager } from '../../../tools/local/secrets-manager.ts';
import { clientConfig } from '../../support/emulators/emulators.ts';

const signal = new AbortController().signal;

let engine: Emulator;
let secret: LocalSecret;
let versions: SecretVersions;
beforeEach(async () => {
  secret = createSecret('first value');
  engine = await startSecretsManager(new Map([['webhook-secret', secret]]));
  const client = new SecretsManagerClient({ ...clientConfig(engine.endpoint), maxAttempts: 1 });
  versions = createSecretVersions(client, 'webhook-secret');
});
afterEach(() => engine.stop());

test('a version can be read by its stage or its id, with all its stages', async () => {
  const current = await versions.read({ stage: stages.current }, signal);

  expect(current).toMatchObject({ value: 'first value', stages: ['AWSCURRENT'] });
  expect(await versions.read({ id: current?.id ?? '' }, signal)).toEqual(current);
});

test('an unknown stage or id, and a version without a value, read as undefined', async () => {
  secret.put('begun', undefined, ['AWSPENDING']);

  expect(await versions.read({ id: 'unknown' }, signal)).toBeUndefined();
  expect(await versions.read({ stage: stages.pending }, signal)).toBeUndefined();
  expect(await versions.read({ id: 'begun' }, signal)).toBeUndefined();
});

test('a version with a binary value cannot be read, but its id can', async () => {
  secret.put('bytes', new Uint8Array([1, 2]), ['AWSCURRENT']);
  secret.put('begun', undefined, ['AWSPENDING']);

  expect(await versions.read({ stage: stages.current }, signal)).toBeUndefined();
  expect(await versions.versionIdOf(stages.current, signal)).toBe('bytes');
  expect(await versions.versionIdOf(stages.pending, signal)).toBeUndefined();
});

test('writing the pending version again changes nothing, and another value is refused', async () => {
  secret.put('new', undefined, ['AWSPENDING']);
  await versions.putPending('new', 'new value', signal);
  await versions.putPending('new', 'new value', signal);

  await expect(versions.putPending('new', 'another value', signal)).rejects.toMatchObject({
    name: 'ResourceExistsException',
  });
  expect(await versions.read({ stage: stages.pending }, signal)).toMatchObject({ id: 'new', value: 'new value' });
});

test('moving the current stage makes the old current version the previous one', async () => {
  const before = await versions.read({ stage: stages.current }, signal);
  await versions.putPending('new', 'new value', signal);

  await versions.moveStage(stages.current, { from: before?.id ?? '', to: 'new' }, signal);
  await versions.moveStage(stages.pending, { from: 'new' }, signal);

  expect(await versions.read({ id: 'new' }, signal)).toMatchObject({ stages: ['AWSCURRENT'] });
  expect(await versions.read({ stage: 'AWSPREVIOUS' }, signal)).toMatchObject({ value: 'first value' });
  expect(await versions.read({ stage: stages.pending }, signal)).toBeUndefined();
});

test('a stage cannot be moved from a version that does not have it', async () => {
  await versions.putPending('new', 'new value', signal);

  const moving = versions.moveStage(stages.current, { from: 'new', to: 'new' }, signal);

  await expect(moving).rejects.toMatchObject({ name: 'InvalidParameterException' });
});
