import { setTimeout as wait } from 'node:timers/promises';
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Sleep } from '../../../functions/argyle/retry.ts';
import { createWithLease } from '../../../functions/aws/lease.ts';
import { createSubscriptionRegistryStore } from '../../../functions/aws/subscription-registry-store.ts';
import { createUploadTable, type Emulator, startDynamoDb } from '../../support/emulators/emulators.ts';

const deadline = new AbortController().signal;

let dynamodb: Emulator<DynamoDBClient>;
let tableName: string;
let nowMs = 0;
let leases = 0;
let id: string;
beforeAll(async () => {
  dynamodb = await startDynamoDb();
  tableName = await createUploadTable(dynamodb.client, 'id');
});
afterAll(() => dynamodb.close());
beforeEach(() => {
  nowMs = Date.parse('2026-11-24T10:00:00.000Z');
  id = `lease-${++leases}`;
});

/** Sleeps by moving the fake clock. */
const sleepOnFakeClock: Sleep = async (milliseconds) => {
  nowMs += milliseconds;
};

/** Lets other owners run while the fake clock stands still, so that no lease expires. */
const yieldToOthers: Sleep = () => wait(1);

/** Fails instead of waiting for the lease. */
const refuseToWait: Sleep = () => Promise.reject(new Error('The lease is taken.'));

const leaseOf = (owner: string, sleep = sleepOnFakeClock) =>
  createWithLease(dynamodb.client, { tableName, id, owner, nowMs: () => nowMs, sleep });

/** Takes the lease and never frees it. */
const crashWithLease = (owner: string) =>
  new Promise<void>((hasLease) => {
    void leaseOf(owner)(() => {
      hasLease();
      return new Promise<never>(() => undefined);
    }, deadline);
  });

test('two owners never work at the same time, and every owner eventually gets the lease', async () => {
  const steps: string[] = [];
  const work = (name: string) => async () => {
    steps.push(`${name} begins`);
    await wait(20);
    steps.push(`${name} ends`);
  };

  const names = ['a', 'b', 'c'];
  await Promise.all(names.map((name) => leaseOf(name, yieldToOthers)(work(name), deadline)));

  const workers = steps.map((step) => step[0]);
  expect(steps).toHaveLength(6);
  expect(workers.filter((_, index) => index % 2 === 0)).toEqual(workers.filter((_, index) => index % 2 === 1));
});

test('the lease is freed when the work throws', async () => {
  await expect(leaseOf('a')(() => Promise.reject(new Error('failed')), deadline)).rejects.toThrow('failed');

  expect(await leaseOf('b', refuseToWait)(async () => 'done', deadline)).toBe('done');
});

test('the lease of an owner that crashed is free after a minute, and not before', async () => {
  await crashWithLease('a');
  const startedMs = nowMs;

  await leaseOf('b')(async () => undefined, deadline);

  expect(nowMs - startedMs).toBeGreaterThanOrEqual(60_000);
  expect(nowMs - startedMs).toBeLessThan(63_000);
});

test('an owner that exceeded its lease does not free the lease of the next owner', async () => {
  const late = Promise.withResolvers<void>();
  const hasLease = Promise.withResolvers<void>();
  const lateWork = leaseOf('a')(() => {
    hasLease.resolve();
    return late.promise;
  }, deadline);
  await hasLease.promise;
  nowMs += 61_000;

  await leaseOf('b')(async () => {
    late.resolve();
    await lateWork;
    const third = leaseOf('c', refuseToWait);
    await expect(third(async () => 'got it', deadline)).rejects.toThrow('The lease is taken.');
  }, deadline);
});

test('the work has its own time limit of 45 s', async () => {
  const limit = new AbortController();
  const { timeout } = AbortSignal;
  const spy = vi
    .spyOn(AbortSignal, 'timeout')
    .mockImplementation((milliseconds) => (milliseconds === 45_000 ? limit.signal : timeout(milliseconds)));
  const work = async (signal: AbortSignal) => {
    const before = signal.aborted;
    limit.abort();
    return [before, signal.aborted];
  };

  expect(await leaseOf('a')(work, deadline)).toEqual([false, true]);
  spy.mockRestore();
});

test('the work ends with the deadline of its caller', async () => {
  const caller = new AbortController();
  const work = async (signal: AbortSignal) => {
    caller.abort();
    return signal.aborted;
  };

  expect(await leaseOf('a')(work, caller.signal)).toBe(true);
});

test('waiting for the lease ends with the deadline', async () => {
  await crashWithLease('a');

  await expect(leaseOf('b')(async () => undefined, AbortSignal.abort())).rejects.toThrow();
});

test('a lease of an earlier release is respected until it expires, and then has no time to live', async () => {
  const Item = { id: { S: id }, owner: { S: 'earlier' }, untilMs: { N: `${nowMs + 1_000}` }, expiresAt: { N: '1' } };
  await dynamodb.client.send(new PutItemCommand({ TableName: tableName, Item }));

  await expect(leaseOf('a', refuseToWait)(async () => undefined, deadline)).rejects.toThrow('The lease is taken.');
  nowMs += 1_001;
  await leaseOf('a', refuseToWait)(async () => {
    const taken = await dynamodb.client.send(new GetItemCommand({ TableName: tableName, Key: { id: { S: id } } }));
    expect(taken.Item).toEqual({ id: { S: id }, owner: { S: 'a' }, untilMs: { N: `${nowMs + 60_000}` } });
  }, deadline);
});

test('the subscription registry is empty at first, and then contains what was written last', async () => {
  const registry = createSubscriptionRegistryStore(dynamodb.client, tableName);
  expect(await registry.read(deadline)).toEqual({});

  await registry.write({ 'https://api.example.com/#name': 'adopted' }, deadline);
  await registry.write({ 'https://api.example.com/#name': 'created' }, deadline);

  expect(await registry.read(deadline)).toEqual({ 'https://api.example.com/#name': 'created' });
});
