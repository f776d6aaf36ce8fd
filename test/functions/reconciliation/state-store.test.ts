import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newRun } from '../../../functions/reconciliation/run.ts';
import { createReconciliationState, type ReconciliationState } from '../../../functions/reconciliation/state-store.ts';
import { sample } from '../../support/builders/builders.ts';
import { createUploadTable, startDynamoDb } from '../../support/emulators/emulators.ts';

let dynamodb: Awaited<ReturnType<typeof startDynamoDb>>;
let stateTable: string;
let state: ReconciliationState;
beforeAll(async () => {
  dynamodb = await startDynamoDb();
});
beforeEach(async () => {
  stateTable = await createUploadTable(dynamodb.client, 'id');
  state = createReconciliationState(dynamodb.client, stateTable);
});
afterAll(() => dynamodb.close());

const miss = { firstMissedAt: '2026-11-24T10:00:00.000Z', missedBy: 'run' };
const missId = `miss/${sample.userUpload}`;
const run = newRun('run', Date.parse('2026-11-24T10:00:00.000Z'), 'before');

describe('the lease', () => {
  test('belongs to one invocation until it is released', async () => {
    expect(await state.acquire('one', 1_000, 2_000)).toEqual(expect.objectContaining({ leaseOwner: 'one' }));
    expect(await state.acquire('other', 1_500, 2_500)).toBe('busy');
    await state.release('other');
    expect(await state.acquire('other', 1_500, 2_500)).toBe('busy');
    await state.release('one');
    expect(await state.acquire('other', 1_500, 2_500)).not.toBe('busy');
  });

  test('expires with the time of its invocation, and not earlier', async () => {
    await state.acquire('one', 1_000, 2_000);
    expect(await state.acquire('other', 2_000, 3_000)).toBe('busy');
    expect(await state.acquire('other', 2_001, 3_000)).not.toBe('busy');
  });

  test('can be taken again by the same invocation, because Lambda retries one that crashed', async () => {
    await state.acquire('one', 1_000, 2_000);
    expect(await state.acquire('one', 1_000, 2_000)).not.toBe('busy');
  });

  test('is given to exactly one of many invocations that request it at the same time', async () => {
    const owners = Array.from({ length: 10 }, (_, index) => `owner ${index}`);
    const taken = await Promise.all(owners.map((owner) => state.acquire(owner, 1_000, 2_000)));
    expect(taken.filter((outcome) => outcome !== 'busy')).toHaveLength(1);
  });
});

describe('a run', () => {
  test('is read as it was saved', async () => {
    await state.acquire('one', 1_000, 2_000);
    const saved = { ...run, nextPage: 'https://api.argyle.com/v2/user-uploads?cursor=1', listedChunks: 3 };
    await state.save('one', { ...saved, scannedTo: undefined }, undefined);
    await state.release('one');
    expect(await state.acquire('other', 1_000, 2_000)).toMatchObject({ run: saved });
  });

  test('remains the last one that completed its checks until another one does', async () => {
    await state.acquire('one', 1_000, 2_000);
    await state.save('one', { ...run, phase: 'done' }, 'run');
    await state.save('one', { ...run, id: 'later', phase: 'failed' }, undefined);
    expect(await state.acquire('one', 1_000, 2_000)).toMatchObject({ previousRun: 'run', run: { id: 'later' } });
  });

  test('cannot be saved by an invocation that has lost the lease', async () => {
    await state.acquire('one', 1_000, 2_000);
    await state.acquire('other', 3_000, 4_000);
    await expect(state.save('one', run, undefined)).rejects.toThrow('Another invocation has taken over run run.');
  });
});

describe('ids', () => {
  test('are saved in chunks by run and kind', async () => {
    await state.saveChunk(run, 'listed', 0, Buffer.from('a'));
    await state.saveChunk(run, 'listed', 1, Buffer.from('b'));
    await state.saveChunk(run, 'candidates', 0, Buffer.from('c'));
    expect(Buffer.from(await state.readChunk(run, 'listed', 1)).toString()).toBe('b');
    expect(Buffer.from(await state.readChunk(run, 'candidates', 0)).toString()).toBe('c');
    await expect(state.readChunk({ ...run, id: 'other' }, 'listed', 0)).rejects.toThrow('do not exist any more');
  });

  test('fit into an item of DynamoDB in chunks of the maximum size, and a chunk may be empty', async () => {
    const largest = Buffer.alloc(16 * (5_000 + 13_000));
    await state.saveChunk(run, 'candidates', 0, largest);
    expect(await state.readChunk(run, 'candidates', 0)).toHaveLength(largest.length);
    await state.saveChunk(run, 'listed', 0, Buffer.alloc(0));
    expect(await state.readChunk(run, 'listed', 0)).toHaveLength(0);
  });
});

describe('saved ids and misses expire after the last run that needs them', () => {
  // Runs are at most 30 days apart, and a run takes at most three days.
  test.each<[string, string, (saved: ReconciliationState) => Promise<void>, number, number]>([
    ['ids, after their run', 'reconciliation/run/listed/0', (to) => to.saveChunk(run, 'listed', 0, Buffer.of()), 3, 30],
    ['a miss, after the second next run', missId, (to) => to.saveMiss(sample.userUpload, miss), 2 * (30 + 3), 100],
    [
      'a removal',
      missId,
      (to) => to.saveMiss(sample.userUpload, { ...miss, removedAt: '2026-12-24T10:00:00.000Z' }),
      90,
      130,
    ],
  ])('%s', async (_, id, save, minDays, maxDays) => {
    await save(state);
    const { Item } = await dynamodb.client.send(new GetItemCommand({ TableName: stateTable, Key: { id: { S: id } } }));
    const days = (Number(Item?.expiresAt?.N) * 1_000 - Date.parse(run.startedAt)) / 86_400_000;
    expect(days).toBeGreaterThan(minDays);
    expect(days).toBeLessThan(maxDays);
  });
});

test('a miss is saved by upload', async () => {
  expect(await state.readMiss(sample.userUpload)).toBeUndefined();
  await state.saveMiss(sample.userUpload, miss);
  expect(await state.readMiss(sample.userUpload)).toMatchObject(miss);
});
