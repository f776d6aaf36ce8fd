import { expect, test } from 'vitest';
import type { ArgyleCredentials } from '../../../functions/argyle/argyle-api.ts';
import { pinKeyDuringLease } from '../../../functions/aws/subscription-runtime.ts';

const { signal } = new AbortController();

test('all requests under one lease use the same key, although the secret has another one meanwhile', async () => {
  let key = 'first';
  const read = async (): Promise<ArgyleCredentials> => ({ apiKeyId: key, apiKeySecret: 'secret' });
  const { readCredentials, withLease } = pinKeyDuringLease(read, (work) => work(signal));
  const keyId = async () => (await readCredentials(signal)).apiKeyId;

  const used = await withLease(async () => {
    const proved = await keyId();
    key = 'second';
    return [proved, await keyId(), await keyId()];
  }, signal);

  expect(used).toEqual(['first', 'first', 'first']);
  expect(await keyId()).toBe('second');
});

test('the next lease reads the key again, also after work that failed', async () => {
  let key = 'first';
  const read = async (): Promise<ArgyleCredentials> => ({ apiKeyId: key, apiKeySecret: 'secret' });
  const { readCredentials, withLease } = pinKeyDuringLease(read, (work) => work(signal));
  const failing = withLease(async () => {
    await readCredentials(signal);
    throw new Error('work');
  }, signal);
  await expect(failing).rejects.toThrow('work');
  key = 'second';

  expect(await withLease(async () => (await readCredentials(signal)).apiKeyId, signal)).toBe('second');
});
