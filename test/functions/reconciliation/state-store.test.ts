import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newRun } from '../../../functions/reconciliation/run.ts';
import { createReconciliationState, type ReconciliationState } from '../../../functions/reconciliation/state-store.ts';
import { sample } from '../../support/builders/builders.ts';
import { createUploadTable, startDynamoDb } from '../../support/emulators/emulators.ts';

let engine: Awaited<ReturnType<typeof startDynamoDb>>;
let state: ReconciliationState;
beforeAll(async () => {
  engine = await startDynamoDb();
});
beforeEach(async () => {
  state = createReconciliationState(engine.client, await createUploadTable(engine.client, 'id'));
});
afterAll(() => engine.close());

const run = newRun('run', Date.parse('2026-11-24T10:00:00.000Z'), 'before');

describe('the lease', () => {
  test('is held by one invocation until it gives it back', async () => {
    expect(await state.acquire('one', 1_000, 2_000)).toEqual(expect.objectContaining({ leaseOwner: 'one' }));
    expect(await state.acquire('other', 1_500, 2_500)).toBe('busy');
    await state.release('one');
    expect(await state.acquire('other', 1_500, 2_500)).not.toBe('busy');
  });

  test('is taken from an invocation whose time is over, and not a moment before', async () => {
    await state.acquire('one', 1_000, 2_000);
    expect(await state.acquire('other', 2_000, 3_000)).toBe('busy');
    expect(await state.acquire('other', 2_001, 3_000)).not.toBe('busy');
  });

  test('is taken again by the same invocation: Lambda repeats one that died', async () => {
    await state.acquire('one', 1_000, 2_000);
    expect(await state.acquire('one', 1_000, 2_000)).not.toBe('busy');
  });

  test('is held by one of many that want it at the same time', async () => {
    const owners = Array.from({ length: 10 }, (_, index) => `owner ${index}`);
    const taken = await Promise.all(owners.map((owner) => state.acquire(owner, 1_000, 2_000)));
    expect(taken.filter((outcome) => outcome !== 'busy')).toHaveLength(1);
  });

  test('is not given back by another invocation', async () => {
    await state.acquire('one', 1_000, 2_000);
    await state.release('other');
    expect(await state.acquire('other', 1_500, 2_500)).toBe('busy');
  });
});

describe('a run', () => {
  test('is kept as it is', async () => {
    await state.acquire('one', 1_000, 2_000);
    const kept = { ...run, nextPage: 'https://api.argyle.com/v2/user-uploads?cursor=1', listedChunks: 3 };
    await state.save('one', { ...kept, scannedTo: undefined }, undefined);
    await state.release('one');
    expect(await state.acquire('other', 1_000, 2_000)).toMatchObject({ run: kept });
  });

  test('is remembered as the one that looked for what is gone, until another one is', async () => {
    await state.acquire('one', 1_000, 2_000);
    await state.save('one', { ...run, phase: 'done' }, 'run');
    await state.save('one', { ...run, id: 'later', phase: 'failed' }, undefined);
    expect(await state.acquire('one', 1_000, 2_000)).toMatchObject({ previousRun: 'run', run: { id: 'later' } });
  });

  test('is not kept for an invocation that has lost the lease', async () => {
    await state.acquire('one', 1_000, 2_000);
    await state.acquire('other', 3_000, 4_000);
    await expect(state.save('one', run, undefined)).rejects.toThrow('in the hands of another invocation');
  });
});

describe('ids', () => {
  test('are kept in chunks of the run, by kind', async () => {
    await state.saveChunk(run, 'listed', 0, Buffer.from('a'));
    await state.saveChunk(run, 'listed', 1, Buffer.from('b'));
    await state.saveChunk(run, 'candidates', 0, Buffer.from('c'));
    expect(Buffer.from(await state.readChunk(run, 'listed', 1)).toString()).toBe('b');
    expect(Buffer.from(await state.readChunk(run, 'candidates', 0)).toString()).toBe('c');
    await expect(state.readChunk({ ...run, id: 'other' }, 'listed', 0)).rejects.toThrow('are gone');
  });

  test('fit DynamoDB as many at once as a chunk ever has, and none as well', async () => {
    const most = Buffer.alloc(16 * (5_000 + 13_000));
    await state.saveChunk(run, 'candidates', 0, most);
    expect(await state.readChunk(run, 'candidates', 0)).toHaveLength(most.length);
    await state.saveChunk(run, 'listed', 0, Buffer.alloc(0));
    expect(await state.readChunk(run, 'listed', 0)).toHaveLength(0);
  });
});

test('a miss is kept by upload', async () => {
  const miss = { firstMissedAt: '2026-11-24T10:00:00.000Z', missedBy: 'run' };
  expect(await state.readMiss(sample.userUpload)).toBeUndefined();
  await state.saveMiss(sample.userUpload, miss);
  expect(await state.readMiss(sample.userUpload)).toMatchObject(miss);
});
