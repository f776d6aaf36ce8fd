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
    expect(await valid()).toEqual(['current', 'previous']);
    nowMs += second - 1;
    expect(await valid()).toEqual(['current', 'previous']);
    nowMs += 1;
    expect(await valid()).toEqual(['current']);
  });

  it('do not include an empty pending or previous one', async () => {
    manager.put('AWSPENDING', '', startMs);
    manager.put('AWSPREVIOUS', '', startMs);
    expect(await valid()).toEqual(['current']);
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
  const readAhead = () => secrets.readAhead(AbortSignal.timeout(5_000));

  it('serves the requests of the first 60 s without another read', async () => {
    readAhead();
    nowMs += minute - 1;
    expect(await valid()).toEqual(['current']);
    expect(await valid()).toEqual(['current']);
    expect(manager.reads()).toBe(1);
  });

  it('that failed is repeated by the first request', async () => {
    manager.refuse('AWSCURRENT');
    readAhead();
    await until(async () => manager.reads() === 1);
    manager.put('AWSCURRENT', 'current', startMs);
    expect(await valid()).toEqual(['current']);
    expect(manager.reads()).toBe(2);
  });

  it('that failed fails the first request while reading fails', async () => {
    manager.refuse('AWSCURRENT');
    readAhead();
    await expect(valid()).rejects.toMatchObject(readError);
  });

  it('over 60 s ago, as when Lambda froze the function, is repeated', async () => {
    readAhead();
    await until(async () => manager.reads() === 1);
    manager.put('AWSCURRENT', 'new', startMs);
    nowMs += minute;
    expect(await valid()).toEqual(['new']);
    expect(manager.reads()).toBe(2);
  });

  it('that gets no answer does not delay a request beyond its deadline', async () => {
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

  it('is used for 60 s without a second read', async () => {
    nowMs += minute - 1;
    expect(await valid()).toEqual(['current']);
    expect(manager.reads()).toBe(1);
  });

  it('is refreshed after 60 s, for another 60 s', async () => {
    nowMs += minute;
    expect(await valid()).toEqual(['new']);
    nowMs += minute - 1;
    expect(await valid()).toEqual(['new']);
    expect(manager.reads()).toBe(2);
  });

  it.each([
    ['reading fails', () => manager.refuse('AWSCURRENT'), 'InternalServiceError'],
    ['the current secret is missing', () => manager.remove('AWSCURRENT'), 'no current value'],
  ])('is used for at most 15 minutes while %s', async (_, fail, message) => {
    fail();
    nowMs += 15 * minute - 1;
    expect(await valid()).toEqual(['current']);
    nowMs += 1;
    await expect(valid()).rejects.toThrow(message);
  });

  it('is refreshed at most every 10 s while reading fails', async () => {
    manager.refuse('AWSCURRENT');
    nowMs += minute;
    for (const waitMs of [0, 5 * second, 5 * second - 1]) {
      nowMs += waitMs;
      expect(await valid()).toEqual(['current']);
    }
    expect(manager.reads()).toBe(2);
    nowMs += 1;
    expect(await valid()).toEqual(['current']);
    expect(manager.reads()).toBe(3);
  });

  it('is refreshed when reading works again', async () => {
    manager.refuse('AWSCURRENT');
    nowMs += 14 * minute;
    expect(await valid()).toEqual(['current']);
    manager.put('AWSCURRENT', 'new', startMs);
    nowMs += 10 * second;
    expect(await valid()).toEqual(['new']);
    nowMs += minute - 1;
    manager.refuse('AWSCURRENT');
    expect(await valid()).toEqual(['new']);
  });
});

it('forgets a previous secret within 60 s of the removal of its stage, as after a leak', async () => {
  manager.put('AWSPREVIOUS', 'leaked', startMs - hour);
  await valid();
  manager.remove('AWSPREVIOUS');
  nowMs += minute - 1;
  expect(await valid()).toContain('leaked');
  nowMs += 1;
  expect(await valid()).toEqual(['current']);
});

describe('reading again after a mismatch', () => {
  beforeEach(async () => {
    await valid();
    manager.put('AWSCURRENT', 'new', startMs);
  });

  it('returns the new secrets, which are then the valid ones', async () => {
    nowMs += 10 * second;
    expect(await reread()).toEqual(['new']);
    expect(await valid()).toEqual(['new']);
    expect(manager.reads()).toBe(2);
  });

  it('does nothing within 10 s of the last read', async () => {
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

  it('throws while reading fails, because the signature may be valid', async () => {
    manager.refuse('AWSCURRENT');
    nowMs += 10 * second;
    await expect(reread()).rejects.toMatchObject(readError);
    nowMs += 10 * second - 1;
    await expect(reread()).rejects.toMatchObject(readError);
    expect(manager.reads()).toBe(2);
    nowMs += 1;
    await expect(reread()).rejects.toMatchObject(readError);
    expect(manager.reads()).toBe(3);
  });

  it('throws when the cache could not be refreshed', async () => {
    manager.refuse('AWSCURRENT');
    nowMs += minute;
    expect(await valid()).toEqual(['current']);
    await expect(reread()).rejects.toMatchObject(readError);
    expect(manager.reads()).toBe(2);
  });

  it('does nothing after a failed read that was followed by a successful one', async () => {
    manager.refuse('AWSCURRENT');
    nowMs += 15 * minute;
    await expect(valid()).rejects.toMatchObject(readError);
    manager.put('AWSCURRENT', 'new', startMs);
    nowMs += second;
    expect(await valid()).toEqual(['new']);
    expect(await reread()).toBeUndefined();
  });
});
