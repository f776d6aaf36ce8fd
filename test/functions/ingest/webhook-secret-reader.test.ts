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

const valid = () => secrets.valid(AbortSignal.timeout(5_000));
const reread = () => secrets.reread(AbortSignal.timeout(5_000));
const refusal = { name: 'InternalServiceError' };

describe('the valid secrets', () => {
  it('are the current one alone while the other stages do not exist', async () => {
    expect(await valid()).toEqual(['current']);
  });

  it('are the current and the pending one', async () => {
    manager.put('AWSPENDING', 'pending', startMs);
    expect(await valid()).toEqual(['current', 'pending']);
  });

  it('have the previous one among them until 24 h after the current one was made', async () => {
    manager.put('AWSPREVIOUS', 'previous', startMs - 100 * hour);
    manager.put('AWSCURRENT', 'current', startMs - 24 * hour + 1 * second);
    expect(await valid()).toEqual(['current', 'previous']);
    nowMs += 1 * second - 1;
    expect(await valid()).toEqual(['current', 'previous']);
    nowMs += 1;
    expect(await valid()).toEqual(['current']);
  });

  it('do not have an empty pending or previous one among them', async () => {
    manager.put('AWSPENDING', '', startMs);
    manager.put('AWSPREVIOUS', '', startMs);
    expect(await valid()).toEqual(['current']);
  });

  it.each(['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'])('are not given while %s cannot be read', async (stage) => {
    manager.refuse(stage);
    await expect(valid()).rejects.toMatchObject(refusal);
  });

  it('are not given without a current one, whatever the other stages hold', async () => {
    manager.put('AWSPENDING', 'pending', startMs);
    manager.remove('AWSCURRENT');
    await expect(valid()).rejects.toThrow('no current value');
  });

  it('are not given with an empty current one', async () => {
    manager.put('AWSCURRENT', '', startMs);
    await expect(valid()).rejects.toThrow('no current value');
  });

  it('are not given once the time of the request is over', async () => {
    await expect(secrets.valid(AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    expect(manager.reads()).toBe(0);
  });
});

describe('reading ahead', () => {
  const readAhead = () => secrets.readAhead(AbortSignal.timeout(5_000));

  it('serves the first request and those of 60 s, without another read', async () => {
    readAhead();
    nowMs += 1 * minute - 1;
    expect(await valid()).toEqual(['current']);
    expect(await valid()).toEqual(['current']);
    expect(manager.reads()).toBe(1);
  });

  it('that failed is no trouble for the first request, which reads by itself', async () => {
    manager.refuse('AWSCURRENT');
    readAhead();
    await until(async () => manager.reads() === 1);
    manager.put('AWSCURRENT', 'current', startMs);
    expect(await valid()).toEqual(['current']);
    expect(manager.reads()).toBe(2);
  });

  it('that failed leaves a request without secrets while reading fails', async () => {
    manager.refuse('AWSCURRENT');
    readAhead();
    await expect(valid()).rejects.toMatchObject(refusal);
  });

  it('too long ago, as when Lambda froze the function meanwhile, serves nobody', async () => {
    readAhead();
    await until(async () => manager.reads() === 1);
    manager.put('AWSCURRENT', 'new', startMs);
    nowMs += 1 * minute;
    expect(await valid()).toEqual(['new']);
    expect(manager.reads()).toBe(2);
  });

  it('that gets no answer does not hold a request longer than its own time', async () => {
    manager.hang('AWSCURRENT');
    readAhead();
    await expect(secrets.valid(AbortSignal.timeout(50))).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('the cache', () => {
  beforeEach(async () => {
    await valid();
    manager.put('AWSCURRENT', 'new', startMs);
  });

  it('serves for 60 s without a second read', async () => {
    nowMs += 1 * minute - 1;
    expect(await valid()).toEqual(['current']);
    expect(manager.reads()).toBe(1);
  });

  it('is read anew after 60 s, for another 60 s', async () => {
    nowMs += 1 * minute;
    expect(await valid()).toEqual(['new']);
    nowMs += 1 * minute - 1;
    expect(await valid()).toEqual(['new']);
    expect(manager.reads()).toBe(2);
  });

  it('serves for 15 minutes while reading fails, then no longer', async () => {
    manager.refuse('AWSCURRENT');
    nowMs += 15 * minute - 1;
    expect(await valid()).toEqual(['current']);
    nowMs += 1;
    await expect(valid()).rejects.toMatchObject(refusal);
  });

  it('serves for 15 minutes while the current one is missing, then no longer', async () => {
    manager.remove('AWSCURRENT');
    nowMs += 15 * minute - 1;
    expect(await valid()).toEqual(['current']);
    nowMs += 1;
    await expect(valid()).rejects.toThrow('no current value');
  });

  it('is tried to be read anew only every 10 s while reading fails', async () => {
    manager.refuse('AWSCURRENT');
    nowMs += 1 * minute;
    for (const waitMs of [0, 5 * second, 5 * second - 1]) {
      nowMs += waitMs;
      expect(await valid()).toEqual(['current']);
    }
    expect(manager.reads()).toBe(2);
    nowMs += 1;
    expect(await valid()).toEqual(['current']);
    expect(manager.reads()).toBe(3);
  });

  it('is renewed as soon as reading works again', async () => {
    manager.refuse('AWSCURRENT');
    nowMs += 14 * minute;
    expect(await valid()).toEqual(['current']);
    manager.put('AWSCURRENT', 'new', startMs);
    nowMs += 10 * second;
    expect(await valid()).toEqual(['new']);
    nowMs += 1 * minute - 1;
    manager.refuse('AWSCURRENT');
    expect(await valid()).toEqual(['new']);
  });
});

describe('a previous secret whose stage is taken away, as after a leak,', () => {
  beforeEach(async () => {
    manager.put('AWSPREVIOUS', 'leaked', startMs - 1 * hour);
    await valid();
    manager.remove('AWSPREVIOUS');
  });

  it('is forgotten within 60 s', async () => {
    nowMs += 1 * minute - 1;
    expect(await valid()).toContain('leaked');
    nowMs += 1;
    expect(await valid()).toEqual(['current']);
  });
});

describe('reading anew after a mismatch', () => {
  beforeEach(async () => {
    await valid();
    manager.put('AWSCURRENT', 'new', startMs);
  });

  it('gives the new secrets, which then are the valid ones', async () => {
    nowMs += 10 * second;
    expect(await reread()).toEqual(['new']);
    expect(await valid()).toEqual(['new']);
    expect(manager.reads()).toBe(2);
  });

  it('is of no use within 10 s of the last reading, and costs nothing', async () => {
    nowMs += 10 * second - 1;
    expect(await reread()).toBeUndefined();
    nowMs += 1;
    expect(await reread()).toEqual(['new']);
    for (const waitMs of [0, 5 * second, 5 * second - 1]) {
      nowMs += waitMs;
      expect(await reread()).toBeUndefined();
    }
    expect(manager.reads()).toBe(2);
  });

  it('throws while reading fails, as nobody can say that the signature is wrong', async () => {
    manager.refuse('AWSCURRENT');
    nowMs += 10 * second;
    await expect(reread()).rejects.toMatchObject(refusal);
    nowMs += 10 * second - 1;
    await expect(reread()).rejects.toMatchObject(refusal);
    expect(manager.reads()).toBe(2);
    nowMs += 1;
    await expect(reread()).rejects.toMatchObject(refusal);
    expect(manager.reads()).toBe(3);
  });

  it('throws when the valid secrets come from a cache that could not be renewed', async () => {
    manager.refuse('AWSCURRENT');
    nowMs += 1 * minute;
    expect(await valid()).toEqual(['current']);
    await expect(reread()).rejects.toMatchObject(refusal);
    expect(manager.reads()).toBe(2);
  });

  it('is of no use, and no trouble, once a reading that failed was followed by one that worked', async () => {
    manager.refuse('AWSCURRENT');
    nowMs += 15 * minute;
    await expect(valid()).rejects.toMatchObject(refusal);
    manager.put('AWSCURRENT', 'new', startMs);
    nowMs += 1 * second;
    expect(await valid()).toEqual(['new']);
    expect(await reread()).toBeUndefined();
  });
});
