import { describe, expect, test } from 'vitest';
import type { Run } from '../../../functions/reconciliation/run.ts';
import { unpackIds } from '../../../functions/reconciliation/upload-id-set.ts';
import { seededIds } from '../../../tools/fake-argyle/seeded-upload.ts';
import { openForEachTest, type Reconciliation } from '../../support/builders/reconciliation.ts';

const hourMs = 3_600_000;

let it: Reconciliation;
openForEachTest((opened) => {
  it = opened;
});

describe('a record whose upload Argyle does not have any more', () => {
  test('is removed by the second run that misses it, 12 h after the first', async () => {
    const { userUpload, account } = await missedRemoval();

    expect(await it.invoke()).toMatchObject({ counts: { candidates: 1, gone: 0, records: 1 } });
    expect(it.sent).toEqual([]);
    it.passHours(12);
    expect(await it.invoke()).toMatchObject({ counts: { candidates: 1, gone: 1 } });

    expect(it.sent).toHaveLength(1);
    expect(it.sent[0]?.queueUrl).toBe('queue of user_uploads.removed');
    expect(it.sent[0]?.message.attributes).toMatchObject({ event: 'user_uploads.removed', origin: 'reconciliation' });
    expect(JSON.parse(it.sent[0]?.message.body ?? '').data).toEqual({ account, user_upload: userUpload });
    await it.applySent();
    const record = await it.read(userUpload);
    expect(record).toMatchObject({ removedAt: { S: expect.any(String) }, expiresAt: { N: expect.any(String) } });
    expect(record).not.toHaveProperty('document');
    it.passHours(24);
    expect(await it.invoke()).toMatchObject({ counts: { candidates: 0, gone: 0 } });
  });

  test('is kept when the second run starts less than 12 h after the first miss', async () => {
    await missedRemoval();
    await it.invoke();
    it.passHours(11.99);
    expect(await it.invoke()).toMatchObject({ counts: { candidates: 1, gone: 0 } });
    it.passHours(0.1);
    expect(await it.invoke()).toMatchObject({ counts: { candidates: 1, gone: 1 } });
  });

  test('is not a candidate in its first 24 h', async () => {
    await missedRemovals(1, 23);
    expect(await it.invoke()).toMatchObject({ counts: { records: 1, candidates: 0 } });
  });

  test('is kept while a GET finds it, and must then be missed twice again', async () => {
    await missedRemoval();
    await it.invoke();
    it.passHours(24);
    const found = { path: '/v2/user-uploads/', status: 200, body: '{}' };
    await it.control.setFaults({ failures: [found] });
    expect(await it.invoke()).toMatchObject({ counts: { candidates: 1, gone: 0 } });
    await it.control.clearFaults();
    it.passHours(24);
    expect(await it.invoke()).toMatchObject({ counts: { candidates: 1, gone: 0 } });
    it.passHours(24);
    expect(await it.invoke()).toMatchObject({ counts: { candidates: 1, gone: 1 } });
  });

  test('is kept when it is listed again, and must then be missed twice again', async () => {
    const { userUpload, account } = await it.control.uploadDocument();
    await it.invoke();
    await it.applySent();
    it.passHours(25);
    const empty = { path: '/v2/user-uploads', status: 200, body: '{"results": [], "next": null}', times: 1 };
    const notFound = { path: '/v2/user-uploads/', status: 404 };
    const missed = { failures: [empty, notFound] };
    await it.control.setFaults(missed);
    expect(await it.invoke()).toMatchObject({ counts: { candidates: 1 } });
    it.passHours(13);
    await it.control.clearFaults();
    expect(await it.invoke()).toMatchObject({ counts: { candidates: 0, checked: 1 } });
    it.passHours(13);
    await it.control.setFaults(missed);
    expect(await it.invoke()).toMatchObject({ counts: { candidates: 1, gone: 0 } });
    expect(it.sent).toEqual([]);
    expect(await it.read(userUpload)).toMatchObject({ account: { S: account } });
  });

  test('is kept while Argyle is unavailable', async () => {
    await missedRemoval();
    await it.invoke();
    it.passHours(12);
    await it.control.setFaults({ failures: [{ path: '/v2/user-uploads/', status: 503 }] });
    await expect(it.invoke()).rejects.toThrow('http_503');
    expect(it.sent).toEqual([]);
    await it.control.clearFaults();
    expect(await it.invoke()).toMatchObject({ counts: { gone: 1 } });
  });

  test.each([400, 410, 422])('does not keep the others when Argyle refuses to answer about it (%i)', async (status) => {
    const [refused, ...others] = await missedRemovals(3);
    await it.control.setFaults({ failures: [{ path: `/v2/user-uploads/${refused}`, status }] });
    await it.invoke();
    it.passHours(12);
    expect(await it.invoke()).toMatchObject({ status: 'done', counts: { candidates: 3, gone: 2 } });
    expect(removals().sort()).toEqual(others.sort());
  });

  test.each([401, 403])('ends the run when Argyle refuses the key (%i)', async (status) => {
    await missedRemoval();
    await it.invoke();
    it.passHours(12);
    await it.control.setFaults({ failures: [{ path: '/v2/user-uploads/', status }] });
    await expect(it.invoke()).rejects.toThrow(`refused the API key (${status})`);
    expect(removals()).toEqual([]);
  });

  test('is kept when the list cannot be read to its end', async () => {
    await missedRemoval();
    await it.control.seedUploads(201, 1);
    await it.invoke();
    it.passHours(12);
    await it.control.setFaults({ linkOrigin: 'http://127.0.0.1:1' });
    await expect(it.invoke()).rejects.toThrow('no credentials are sent there');
    expect(removals()).toEqual([]);
  });

  test('is checked and removed once, also when a run takes several invocations', async () => {
    const missed = await missedRemovals(3);
    await it.invokeStepByStep();
    it.passHours(12);
    await it.invokeStepByStep();
    expect(removals().sort()).toEqual(missed.sort());
  });

  test('is not removed again when its webhook arrives between the scan and the check', async () => {
    const { userUpload, account, user } = await missedRemoval();
    await it.invoke();
    it.passHours(12);
    // The steps of the list and of the scan.
    await it.invoke({}, { workMs: 0 });
    await it.invoke(it.continued.at(-1), { workMs: 0 });
    await it.applyEventAndFetch({ event: 'user_uploads.removed', userUpload, account, user });
    expect(await it.invoke(it.continued.at(-1))).toMatchObject({ status: 'done', counts: { candidates: 1, gone: 0 } });
    expect(it.sent).toEqual([]);
  });

  test('is removed at the same time when a crashed invocation is repeated', async () => {
    await missedRemoval();
    await it.invoke();
    it.passHours(12);
    const crashing = it.holdSending();
    const crashed = it.invoke({}, { awsRequestId: 'same' });
    await crashing.reached;
    it.holdSending().release();
    it.passHours(0.1);
    expect(await it.invoke({}, { awsRequestId: 'same' })).toMatchObject({ counts: { gone: 1 } });
    crashing.release();
    await Promise.allSettled([crashed]);
    const times = it.sent.map(({ message }) => message.attributes.receivedAt);
    expect(times).toEqual([times[0], times[0]]);
  });

  test('is counted and logged, also when the check of the next one fails', async () => {
    await missedRemovals(2);
    const first = await it.invoke();
    const run = { id: 'run' in first ? first.run : '' } as Run;
    const [checkedFirst, checkedSecond] = unpackIds(await it.state.readChunk(run, 'candidates', 0));
    it.passHours(12);
    const path = `/v2/user-uploads/${checkedSecond}`;
    await it.control.setFaults({ failures: [{ path, status: 401 }] });
    await expect(it.invoke()).rejects.toThrow('refused the API key (401)');
    expect(removals()).toEqual([checkedFirst]);
    expect(it.measured.at(-1)?.metrics.Gone).toBe(1);
    const fields = { uploads: 1, userUploads: checkedFirst };
    expect(it.errors).toMatchObject([{ code: 'records_removed', fields }, { code: 'reconciliation_failed' }]);
  });
});

test('records that fill several pages of a scan are all compared, in several invocations', async () => {
  await it.control.seedUploads(5, 4);
  const listed = Array.from({ length: 5 }, (_, number) => seededIds(4, number));
  // A page has at most 1 MB.
  const note = { S: 'x'.repeat(300_000) };
  await it.seedAll(listed.map(({ userUpload, account }) => ({ ...recordOf(userUpload, account, 25), note })));
  const missed = await missedRemovals(3);
  await it.invokeStepByStep();
  expect(it.measured.filter(({ fields }) => fields.phase === 'scan').length).toBeGreaterThan(1);
  it.passHours(12);
  await it.invokeStepByStep();
  expect(removals().sort()).toEqual(missed.sort());
});

test('an invocation that made progress ends when Argyle is busy, and the next one continues', async () => {
  await missedRemoval();
  const busy = { path: '/v2/user-uploads/', status: 429, retryAfter: 3_600, times: 1 };
  await it.control.setFaults({ failures: [busy] });
  expect(await it.invoke()).toMatchObject({ status: 'continues', counts: { candidates: 1 } });
  expect(await it.invoke(it.continued.at(-1))).toMatchObject({ status: 'done' });
  it.passHours(12);
  expect(await it.invoke()).toMatchObject({ counts: { gone: 1 } });
});

describe('more candidates than the maximum of removals', () => {
  test('are all held: no miss is recorded, no document is checked, and an alarm is raised', async () => {
    const missed = await missedRemovals(21);
    for (const _ of [1, 2, 3]) {
      expect(await it.invoke()).toMatchObject({ status: 'done', counts: { candidates: 21, held: 21, gone: 0 } });
      it.passHours(24);
    }
    expect(it.measured.at(-1)?.metrics).toMatchObject({ RemovalsHeld: 21, Gone: 0, ArgyleRequests: 2 });
    const error = it.errors.at(-1);
    expect(error).toMatchObject({
      code: 'removals_held',
      fields: { candidates: 21, maximum: 3, records: 21, eligible: 21 },
    });
    expect(it.sent).toEqual([]);

    const logged = String(error?.fields.userUploads).split(' ');
    expect(new Set(logged).size).toBe(20);
    expect(logged.filter((id) => !missed.includes(id))).toEqual([]);
  });

  test('are all records of a small stack', async () => {
    await missedRemovals(20);
    for (const _ of [1, 2, 3]) {
      expect(await it.invoke()).toMatchObject({ counts: { candidates: 20, held: 20, gone: 0 } });
      it.passHours(24);
    }
  });

  test('do not include three, such as the documents of one account', async () => {
    await missedRemovals(3);
    expect(await it.invoke()).toMatchObject({ counts: { candidates: 3, held: 0 } });
    it.passHours(12);
    expect(await it.invoke()).toMatchObject({ counts: { gone: 3 } });
  });

  test('do not include a tenth of the records that are over 24 h old and known from webhooks, up to 20', async () => {
    await listedRecords(180, { ageHours: 25 });
    await missedRemovals(20);
    expect(await it.invoke()).toMatchObject({ counts: { records: 200, eligible: 200, candidates: 20, held: 0 } });
    it.passHours(12);
    expect(await it.invoke()).toMatchObject({ counts: { gone: 20 } });
  });

  test.each([
    ['that are younger', { ageHours: 23 }],
    ["that were imported from Argyle's list", { ageHours: 25, isImported: true }],
  ])('are not fewer because of records %s', async (_, facts) => {
    await listedRecords(400, facts);
    await missedRemovals(25);
    expect(await it.invoke()).toMatchObject({ counts: { records: 425, eligible: 25, candidates: 25, held: 25 } });
  });

  test('are removed when an operator confirms their number in two runs 12 h apart', async () => {
    await missedRemovals(21);
    expect(await it.invoke({ confirmRemovals: 20 })).toMatchObject({ counts: { held: 21 } });
    expect(await it.invoke({ confirmRemovals: 21 })).toMatchObject({ counts: { held: 0, gone: 0 } });
    it.passHours(6);
    // The scheduled run in between has no confirmation, and cancels nothing.
    expect(await it.invoke()).toMatchObject({ counts: { held: 21 } });
    it.passHours(6);
    expect(await it.invoke({ confirmRemovals: 21 })).toMatchObject({ counts: { held: 0, gone: 21 } });
    await it.applySent();
    expect(await it.invoke()).toMatchObject({ counts: { records: 0, candidates: 0 } });
  });
});

// An upload with a record that is 25 h old, removed at Argyle by a webhook that did not arrive.
async function missedRemoval() {
  const known = await it.control.uploadDocument();
  await it.seed(recordOf(known.userUpload, known.account, 25));
  await it.control.removeUpload(known.userUpload);
  return known;
}

// Records of uploads that Argyle does not have, known from webhooks. Returns the ids.
async function missedRemovals(count: number, ageHours = 25): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, number) => seededIds(5, number));
  await it.seedAll(ids.map(({ userUpload, account, user }) => recordOf(userUpload, account, ageHours, user)));
  return ids.map(({ userUpload }) => userUpload);
}

// Uploads with a record each, which has no user if it was imported.
async function listedRecords(count: number, { ageHours = 25, isImported = false }): Promise<void> {
  await it.control.seedUploads(count, 6);
  const ids = Array.from({ length: count }, (_, number) => seededIds(6, number));
  const items = ids.map(({ userUpload, account, user }) =>
    recordOf(userUpload, account, ageHours, isImported ? undefined : user),
  );
  await it.seedAll(items);
}

function recordOf(userUpload: string, account: string, ageHours: number, user?: string) {
  const addedAt = new Date(it.nowMs() - ageHours * hourMs).toISOString();
  const owner = { account: { S: account }, ...(user && { user: { S: user } }) };
  return { userUpload: { S: userUpload }, ...owner, addedAt: { S: addedAt } };
}

function removals(): string[] {
  return it.sent
    .filter(({ message }) => message.attributes.event === 'user_uploads.removed')
    .map(({ message }) => JSON.parse(message.body).data.user_upload);
}
