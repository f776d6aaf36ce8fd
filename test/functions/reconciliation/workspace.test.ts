import { describe, expect, test } from 'vitest';
import { physicalIdOf } from '../../../functions/domain/subscription-registry.ts';
import { seededIds } from '../../../tools/fake-argyle/seeded-upload.ts';
import { openForEachTest, type Reconciliation } from '../../support/builders/reconciliation.ts';

const other = { url: 'https://api.example.com/webhooks/argyle', name: 'new-name' };
const refusal = "does not contain the URL and name of this stack's subscription";

let it: Reconciliation;
openForEachTest((opened) => {
  it = opened;
});

describe('with the key of another workspace', () => {
  test.each([
    ['an empty one', 0],
    ['one with many documents', 2_600],
  ])('nothing is imported, removed or recorded, in any number of runs: %s', async (_, uploads) => {
    const before = await oldRecords(25);
    await it.control.setFaults({ otherWorkspace: { uploads, seed: 9 } });
    for (const _ of [1, 2, 3]) {
      await expect(it.invoke()).rejects.toThrow(refusal);
      it.passHours(24);
    }
    expect(it.sent).toEqual([]);
    expect(await it.readAll()).toEqual(before);
    expect(await it.state.readMiss([...before.keys()][0] ?? '')).toBeUndefined();
    expect(it.errors.map(({ code }) => code)).toEqual(Array(3).fill('reconciliation_failed'));
    expect(it.measured.map(({ metrics }) => metrics.ArgyleRequests)).toEqual([1, 1, 1]);
  });

  test('the error names the secret of the key', async () => {
    await it.control.setFaults({ otherWorkspace: { uploads: 0, seed: 9 } });
    await expect(it.invoke()).rejects.toThrow('API key in the secret argyle/api-key belongs to another workspace');
  });

  test('between two invocations, the second one fails, and a later one continues the run', async () => {
    await oldRecords(2);
    await it.invoke();
    it.passHours(12);
    await it.invoke({}, { workMs: 0 });
    await it.invoke(it.continued.at(-1), { workMs: 0 });
    // Two candidates are saved. In the other workspace, Argyle answers 404 for both of them.
    await it.control.setFaults({ otherWorkspace: { uploads: 0, seed: 9 } });
    await expect(it.invoke(it.continued.at(-1))).rejects.toThrow(refusal);
    expect(it.sent).toEqual([]);
    await it.control.clearFaults();
    expect(await it.invoke(it.continued.at(-1))).toMatchObject({ status: 'done', counts: { gone: 2 } });
  });
});

test('the proven key is used to the end of its invocation, also when another one is stored meanwhile', async () => {
  await it.control.seedUploads(201, 1);
  const { reached, release } = it.holdSending();
  const running = it.invoke();
  await reached;
  it.credentials.current = { apiKeyId: 'id', apiKeySecret: 'of another workspace' };
  release();
  expect(await running).toMatchObject({ status: 'done', counts: { checked: 201 } });
  await expect(it.invoke()).rejects.toThrow('refused the API key (401)');
});

test('a stack without a registered subscription compares nothing', async () => {
  await it.control.seedUploads(1, 1);
  await it.register({});
  await expect(it.invoke()).rejects.toThrow('The state table lists no subscription of this stack');
  expect(it.sent).toEqual([]);
});

test('one of two registered subscriptions is enough, as during a change of the name', async () => {
  await it.register({ [physicalIdOf(other)]: 'created' });
  await expect(it.invoke()).rejects.toThrow(refusal);
  await it.register({ [physicalIdOf(other)]: 'created', [physicalIdOf(it.subscription)]: 'created' });
  expect(await it.invoke()).toMatchObject({ status: 'done' });
});

test('the proof is retried while Argyle is unavailable', async () => {
  await it.control.setFaults({ failures: [{ path: '/v2/webhooks', status: 503, times: 2 }] });
  expect(await it.invoke()).toMatchObject({ status: 'done' });
  expect(it.measured.at(-1)?.metrics.ArgyleRequests).toBe(4);
});

// Records that webhooks wrote a month ago. Returns all records.
async function oldRecords(count: number) {
  const ids = Array.from({ length: count }, (_, number) => seededIds(8, number));
  await it.seedAll(
    ids.map(({ userUpload, account, user }) => ({
      userUpload: { S: userUpload },
      account: { S: account },
      user: { S: user },
      addedAt: { S: '2026-11-01T00:00:00.000Z' },
    })),
  );
  return it.readAll();
}
