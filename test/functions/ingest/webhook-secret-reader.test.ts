import { afterEach, beforeEach, expect, it } from 'vitest';
import { createReadStage } from '../../../functions/ingest/webhook-secret-reader.ts';
import type { ReadStage } from '../../../functions/ingest/webhook-secrets.ts';
import { type SecretsManager, startSecretsManager } from '../../support/fakes/secrets-manager.ts';

let manager: SecretsManager;
let read: ReadStage;
beforeEach(async () => {
  manager = await startSecretsManager();
  read = createReadStage(manager.client, 'webhook-secret');
});
afterEach(() => manager.close());

const deadline = new AbortController().signal;

it.each(['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'] as const)('reads the value and the date of %s', async (stage) => {
  manager.put(stage, 'secret', 1_000);
  expect(await read(stage, deadline)).toEqual({ secret: 'secret', createdAtMs: 1_000 });
});

it('returns nothing for a stage that does not exist or whose value is empty', async () => {
  expect(await read('AWSPENDING', deadline)).toBeUndefined();
  manager.put('AWSPENDING', '', 1_000);
  expect(await read('AWSPENDING', deadline)).toBeUndefined();
});

it('throws when Secrets Manager fails', async () => {
  manager.refuse('AWSCURRENT');
  await expect(read('AWSCURRENT', deadline)).rejects.toMatchObject({ name: 'InternalServiceError' });
});

it('ends when its signal aborts', async () => {
  manager.hang('AWSCURRENT');
  await expect(read('AWSCURRENT', AbortSignal.timeout(50))).rejects.toMatchObject({ name: 'AbortError' });
});
