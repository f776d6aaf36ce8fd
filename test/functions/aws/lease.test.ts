import { setTimeout as wait } from 'node:timers/promises';
import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Sleep } from '../../../functions/argyle/retry.ts';
import { createWithLease } from '../../../functions/aws/lease.ts';
import { createSubscriptionRegistryStore } from '../../../functions/aws/subscription-registry-store.ts';
import { type Emulator, startDynamoDb } from '../../support/emulators/emulators.ts';

const tableName = 'state';
const whole = new AbortController().signal;

let dynamodb: Emulator<DynamoDBClient>;
let nowMs = 0;
let leases = 0;
let id: string;
beforeAll(async () => {
  dynamodb = await startDynamoDb();
  await dynamodb.client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    }),
  );
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

/** Lets other holders run while the fake clock stands still, so that no lease expires. */
const yieldToOthers: Sleep = () => wait(1);

const holder = (owner: string, sleep = sleepOnFakeClock) =>
  createWithLease(dynamodb.client, { tableName, id, owner, nowMs: () => nowMs, sleep });

/** Takes the lease and never gives it back. */
const keep = (owner: string) =>
  new Promise<void>((hasIt) => {
    void holder(owner)(() => {
      hasIt();
      return new Promise<never>(() => undefined);
    }, whole);
  });

test('two holders never work at the same time, and every holder gets the lease in the end', async () => {
  const steps: string[] = [];
  const work = (name: string) => async () => {
    steps.push(`${name} begins`);
    await wait(20);
    steps.push(`${name} ends`);
  };

  const names = ['a', 'b', 'c'];
  await Promise.all(names.map((name) => holder(name, yieldToOthers)(work(name), whole)));

  const workers = steps.map((step) => step[0]);
  expect(steps).toHaveLength(6);
  expect(workers.filter((_, index) => index % 2 === 0)).toEqual(workers.filter((_, index) => index % 2 === 1));
});

test('the lease is free again after work that threw', async () => {
  await expect(holder('a')(() => Promise.reject(new Error('failed')), whole)).rejects.toThrow('failed');
  const startedMs = nowMs;

  expect(await holder('b')(async () => 'done', whole)).toBe('done');
  expect(nowMs).toBe(startedMs);
});

test('the lease of a holder that died is free after a minute, and not before', async () => {
  await keep('a');
  const startedMs = nowMs;

  await holder('b')(async () => undefined, whole);

  expect(nowMs - startedMs).toBeGreaterThanOrEqual(60_000);
  expect(nowMs - startedMs).toBeLessThan(63_000);
});

test('a holder that outlived its lease does not take it from the next one', async () => {
  const late = Promise.withResolvers<void>();
  const lateHasIt = Promise.withResolvers<void>();
  const lateWork = holder('a')(() => {
    lateHasIt.resolve();
    return late.promise;
  }, whole);
  await lateHasIt.promise;
  nowMs += 61_000;

  await holder('b')(async () => {
    late.resolve();
    await lateWork;
    const third = holder('c', () => Promise.reject(new Error('The lease is taken.')));
    await expect(third(async () => 'got it', whole)).rejects.toThrow('The lease is taken.');
  }, whole);
});

test('who waits gives up when its time is over', async () => {
  await keep('a');

  await expect(holder('b')(async () => undefined, AbortSignal.abort())).rejects.toThrow();
});

test('the memory of subscriptions is empty at first, and then what was written last', async () => {
  const memory = createSubscriptionRegistryStore(dynamodb.client, tableName);
  expect(await memory.read(whole)).toEqual({});

  await memory.write({ 'https://api.example.com/#name': 'adopted' }, whole);
  await memory.write({ 'https://api.example.com/#name': 'created' }, whole);

  expect(await memory.read(whole)).toEqual({ 'https://api.example.com/#name': 'created' });
});
