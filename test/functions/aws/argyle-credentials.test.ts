import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ReadCredentials } from '../../../functions/argyle/argyle-api.ts';
import { createReadArgyleCredentials } from '../../../functions/aws/argyle-credentials.ts';
import { until } from '../../support/emulators/watched-pipeline.ts';
import { type SecretsManager, startSecretsManager } from '../../support/fakes/secrets-manager.ts';

const credentials = { apiKeyId: 'id', apiKeySecret: 'secret' };
const [second, minute] = [1_000, 60_000];

let manager: SecretsManager;
let nowMs: number;
let read: ReadCredentials;
beforeEach(async () => {
  nowMs = 0;
  manager = await startSecretsManager();
  manager.put('AWSCURRENT', JSON.stringify(credentials), 0);
  // The name of the only secret of this Secrets Manager.
  read = createReadArgyleCredentials(manager.client, 'webhook-secret', () => nowMs);
});
afterEach(() => manager.close());

describe('the API key', () => {
  it('is read once by ten concurrent callers', async () => {
    const readings = await Promise.all(Array.from({ length: 10 }, () => read(new AbortController().signal)));
    expect(readings).toEqual(Array(10).fill(credentials));
    expect(manager.reads()).toBe(1);
  });

  it('is read again after 5 minutes', async () => {
    await read();
    nowMs = 5 * minute - second;
    await read();
    expect(manager.reads()).toBe(1);
    nowMs = 5 * minute;
    await read();
    expect(manager.reads()).toBe(2);
  });

  it('is read again after a failed read, which all concurrent callers report', async () => {
    manager.refuse('AWSCURRENT');
    const failed = await Promise.allSettled([read(), read()]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(manager.reads()).toBe(1);
    manager.put('AWSCURRENT', JSON.stringify(credentials), 0);
    expect(await read()).toEqual(credentials);
  });

  it.each(['', 'no JSON with secret-text', '{"apiKeyId": "id"}', '[]', 'null'])(
    'that is not in its form is an error without the value: %s',
    async (value) => {
      manager.put('AWSCURRENT', value, 0);
      await expect(read()).rejects.toThrow('is not {"apiKeyId": "…", "apiKeySecret": "…"}');
      await expect(read()).rejects.not.toThrow('secret-text');
    },
  );
});

describe('while Secrets Manager does not answer', () => {
  it('each caller waits until its own deadline, and does not end the read of the others', async () => {
    const release = manager.hold('AWSCURRENT');
    const [early, late] = [new AbortController(), new AbortController()];
    const first = read(early.signal);
    const second = read(late.signal);
    await until(async () => manager.reads() === 1);
    early.abort(new Error('too late'));
    await expect(first).rejects.toThrow('too late');
    release();
    expect(await second).toEqual(credentials);
    expect(manager.reads()).toBe(1);
  });

  it('the read ends after 6.5 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    manager.hang('AWSCURRENT');
    const outcome = read().catch((error: Error) => error.name);
    await vi.advanceTimersByTimeAsync(6_500);
    vi.useRealTimers();
    expect(await outcome).toBe('TimeoutError');
  });
});
