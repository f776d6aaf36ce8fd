import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWebhookSecrets } from '../../../functions/ingest/webhook-secret-reader.ts';
import { until } from '../../support/emulators/watched-pipeline.ts';
import { type SecretsManager, startSecretsManager } from '../../support/fakes/secrets-manager.ts';

const startMs = Date.parse('2026-11-24T10:00:00.000Z');
const [second, minute, hour] = [1_000, 60_000, 3_600_000];

let manager: SecretsManager;
let secrets: ReturnType<typeof createWebhookSecrets>;
let nowMs: number;
beforeEach(async () => {
  nowMs = startMs;
  manager = await startSecretsManager();
  secrets = createWebhookSecrets(manager.client, 'webhook-secret', () => nowMs);
  manager.put('AWSCURRENT', 'current', startMs);
});
afterEach(() => manager.close());

const never = new AbortController().signal;
const valid = () => secrets.valid(never);
const validAt = (ms: number) => {
  nowMs = startMs + ms;
  return valid();
};
const rereadAt = (ms: number) => {
  nowMs = startMs + ms;
  return secrets.reread(never);
};
const readError = { name: 'InternalServiceError' };

describe('the valid secrets', () => {
  it('are only the current one while the other stages do not exist', async () => {
    expect(await valid()).toEqual(['current']);
  });

  it('are the current and the pending one', async () => {
    manager.put('AWSPENDING', 'pending', startMs);
    expect(await valid()).toEqual(['current', 'pending']);
  });

  it('include the previous one until 24 h after the creation of the current one', async () => {
    manager.put('AWSPREVIOUS', 'previous', startMs - 100 * hour);
    manager.put('AWSCURRENT', 'current', startMs - 24 * hour + second);
    for (const ms of [0, second - 1]) expect(await validAt(ms)).toEqual(['current', 'previous']);
    expect(await validAt(second)).toEqual(['current']);
  });

  it('do not include an empty pending or previous one', async () => {
    manager.put('AWSPENDING', '', startMs);
    manager.put('AWSPREVIOUS', '', startMs);
    expect(await valid()).toEqual(['current']);
  });

  it('do not include a previous one from 60 s after the removal of its stage, as after a leak', async () => {
    manager.put('AWSPREVIOUS', 'leaked', startMs - hour);
    await valid();
    manager.remove('AWSPREVIOUS');
    expect(await validAt(minute - 1)).toEqual(['current', 'leaked']);
    expect(await validAt(minute)).toEqual(['current']);
  });

  it.each(['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'])('cannot be read while %s cannot be read', async (stage) => {
    manager.refuse(stage);
    await expect(valid()).rejects.toMatchObject(readError);
  });

  it('cannot be read if the current one is missing or empty, even if there is a pending one', async () => {
    manager.put('AWSPENDING', 'pending', startMs);
    manager.put('AWSCURRENT', '', startMs);
    await expect(valid()).rejects.toThrow('no current value');
    manager.remove('AWSCURRENT');
    await expect(valid()).rejects.toThrow('no current value');
  });

  it('are not read after the deadline of the request', async () => {
    await expect(secrets.valid(AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    expect(manager.reads()).toBe(0);
  });
});

describe('reading ahead', () => {
  const readAhead = async () => {
    secrets.readAhead(never);
    await until(async () => manager.reads() === 1);
  };

  it('serves the requests of the first 60 s without another read', async () => {
    secrets.readAhead(never);
    for (const ms of [minute - 1, minute - 1]) expect(await validAt(ms)).toEqual(['current']);
    expect(manager.reads()).toBe(1);
  });

  it('that failed is repeated by the first request', async () => {
    manager.refuse('AWSCURRENT');
    await readAhead();
    await expect(valid()).rejects.toMatchObject(readError);
    manager.put('AWSCURRENT', 'current', startMs);
    expect(await valid()).toEqual(['current']);
    expect(manager.reads()).toBe(3);
  });

  it('over 60 s ago, as when Lambda froze the function, is repeated', async () => {
    await readAhead();
    manager.put('AWSCURRENT', 'new', startMs);
    expect(await validAt(minute)).toEqual(['new']);
    expect(manager.reads()).toBe(2);
  });

  it('that gets no answer does not delay a request beyond its deadline', async () => {
    manager.hang('AWSCURRENT');
    await readAhead();
    await expect(secrets.valid(AbortSignal.timeout(50))).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('the cache', () => {
  beforeEach(async () => {
    await valid();
    manager.put('AWSCURRENT', 'new', startMs);
  });

  it('is used for 60 s, then refreshed for another 60 s', async () => {
    expect(await validAt(minute - 1)).toEqual(['current']);
    expect(manager.reads()).toBe(1);
    for (const ms of [minute, 2 * minute - 1]) expect(await validAt(ms)).toEqual(['new']);
    expect(manager.reads()).toBe(2);
  });

  it.each([
    ['reading fails', () => manager.refuse('AWSCURRENT'), 'InternalServiceError'],
    ['the current secret is missing', () => manager.remove('AWSCURRENT'), 'no current value'],
  ])('is used for at most 15 minutes while %s', async (_, fail, message) => {
    fail();
    expect(await validAt(15 * minute - 1)).toEqual(['current']);
    await expect(validAt(15 * minute)).rejects.toThrow(message);
  });

  it('is refreshed at most every 10 s while reading fails', async () => {
    manager.refuse('AWSCURRENT');
    for (const ms of [0, 5 * second, 10 * second - 1]) expect(await validAt(minute + ms)).toEqual(['current']);
    expect(manager.reads()).toBe(2);
    expect(await validAt(minute + 10 * second)).toEqual(['current']);
    expect(manager.reads()).toBe(3);
  });

  it('is refreshed for 60 s when reading works again', async () => {
    manager.refuse('AWSCURRENT');
    expect(await validAt(14 * minute)).toEqual(['current']);
    manager.put('AWSCURRENT', 'new', startMs);
    expect(await validAt(14 * minute + 10 * second)).toEqual(['new']);
    manager.refuse('AWSCURRENT');
    expect(await validAt(15 * minute + 10 * second - 1)).toEqual(['new']);
  });
});

describe('reading again after a mismatch', () => {
  beforeEach(async () => {
    await valid();
    manager.put('AWSCURRENT', 'new', startMs);
  });

  it('returns the new secrets, which are then the valid ones', async () => {
    expect(await rereadAt(10 * second)).toEqual(['new']);
    expect(await valid()).toEqual(['new']);
    expect(manager.reads()).toBe(2);
  });

  it('does nothing within 10 s of the last read', async () => {
    expect(await rereadAt(10 * second - 1)).toBeUndefined();
    expect(await rereadAt(10 * second)).toEqual(['new']);
    for (const ms of [0, 5 * second, 10 * second - 1]) expect(await rereadAt(10 * second + ms)).toBeUndefined();
    expect(manager.reads()).toBe(2);
  });

  it('throws while reading fails, because the signature may be valid', async () => {
    manager.refuse('AWSCURRENT');
    for (const ms of [10 * second, 20 * second - 1]) await expect(rereadAt(ms)).rejects.toMatchObject(readError);
    expect(manager.reads()).toBe(2);
    await expect(rereadAt(20 * second)).rejects.toMatchObject(readError);
    expect(manager.reads()).toBe(3);
  });

  it('throws when the cache could not be refreshed', async () => {
    manager.refuse('AWSCURRENT');
    expect(await validAt(minute)).toEqual(['current']);
    await expect(rereadAt(minute)).rejects.toMatchObject(readError);
    expect(manager.reads()).toBe(2);
  });

  it('does nothing after a failed read that was followed by a successful one', async () => {
    manager.refuse('AWSCURRENT');
    await expect(validAt(15 * minute)).rejects.toMatchObject(readError);
    manager.put('AWSCURRENT', 'new', startMs);
    expect(await validAt(15 * minute + second)).toEqual(['new']);
    expect(await rereadAt(15 * minute + second)).toBeUndefined();
  });
});
