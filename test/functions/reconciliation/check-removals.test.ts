import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { events } from '../../../functions/domain/events.ts';
import type { FakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';
import { seededIds } from '../../../tools/fake-argyle/seeded-upload.ts';
import { openReconciliation, type Reconciliation, startArgyle } from '../../support/builders/reconciliation.ts';

let argyle: FakeArgyle;
let it: Reconciliation;
beforeAll(async () => {
  argyle = await startArgyle();
});
beforeEach(async () => {
  it = await openReconciliation(argyle);
});
afterEach(() => it.close());
afterAll(() => argyle.stop());

describe('a record whose upload Argyle does not have any more', () => {
  test('is removed by the second run that misses it, 12 h after the first', async () => {
    const { userUpload, account } = await lostRemoval();

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

  test('stays when the second run comes a moment too early', async () => {
    await lostRemoval();
    await it.invoke();
    it.passHours(11.99);
    expect(await it.invoke()).toMatchObject({ counts: { candidates: 1, gone: 0 } });
    it.passHours(0.1);
    expect(await it.invoke()).toMatchObject({ counts: { candidates: 1, gone: 1 } });
  });

  test('is no candidate in its first 24 h', async () => {
    await lostRemoval(23);
    expect(await it.invoke()).toMatchObject({ counts: { records: 1, candidates: 0 } });
  });

  test('stays while a GET still finds it, and has to be missed twice again after that', async () => {
    await lostRemoval();
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

  test('stays when it is listed again, and has to be missed twice again after that', async () => {
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

  test('stays while Argyle cannot say whether it is there', async () => {
    await lostRemoval();
    await it.invoke();
    it.passHours(12);
    await it.control.setFaults({ failures: [{ path: '/v2/user-uploads/', status: 503 }] });
    await expect(it.invoke()).rejects.toThrow('http_503');
    expect(it.sent).toEqual([]);
    await it.control.clearFaults();
    expect(await it.invoke()).toMatchObject({ counts: { gone: 1 } });
  });

  test('stays when the list could not be read to its end', async () => {
    await lostRemoval();
    await it.control.seedUploads(450, 1);
    await it.invoke();
    it.passHours(12);
    await it.control.setFaults({ linkOrigin: 'http://127.0.0.1:1' });
    await expect(it.invoke()).rejects.toThrow('no credentials are sent there');
    expect(removals()).toEqual([]);
  });

  test('is one of many: a run in parts asks for each and removes each once', async () => {
    const lost = [];
    for (let count = 0; count < 12; count += 1) lost.push((await lostRemoval()).userUpload);
    await invokeToTheEnd();
    it.passHours(12);
    await invokeToTheEnd();
    expect(removals().sort()).toEqual(lost.sort());
  });
});

test('records that fill several pages of a scan are all looked at, in as many parts', async () => {
  // Of 2 KB each, so that 1 MB does not hold them all.
  const note = { S: 'x'.repeat(2_000) };
  const current = { document: { M: { updatedAt: { S: '2027-01-01T00:00:00.000Z' } } }, ...slots('2026-10-01') };
  await it.control.seedUploads(600, 4);
  for (let number = 0; number < 600; number += 1) {
    const { userUpload, account } = seededIds(4, number);
    await it.seed({ userUpload: { S: userUpload }, account: { S: account }, note, ...current });
  }
  const lost = Array.from({ length: 15 }, (_, number) => seededIds(5, number));
  for (const { userUpload, account } of lost)
    await it.seed({ userUpload: { S: userUpload }, account: { S: account }, note, ...current });
  await invokeToTheEnd();
  expect(it.measured.filter(({ fields }) => fields.phase === 'scan').length).toBeGreaterThan(1);
  it.passHours(12);
  await invokeToTheEnd();
  expect(removals().sort()).toEqual(lost.map(({ userUpload }) => userUpload).sort());
  expect(it.sent).toHaveLength(15);
});

test('a busy Argyle ends a part that has come further, and the next one goes on', async () => {
  await lostRemoval();
  const busy = { path: '/v2/user-uploads/', status: 429, retryAfter: 3_600, times: 1 };
  await it.control.setFaults({ failures: [busy] });
  expect(await it.invoke()).toMatchObject({ status: 'continues', counts: { candidates: 1 } });
  expect(await it.invoke(it.continued.at(-1))).toMatchObject({ status: 'done' });
  it.passHours(12);
  expect(await it.invoke()).toMatchObject({ counts: { gone: 1 } });
});

describe('more records than a run may remove', () => {
  test('are all held: nothing is noted, nothing asked for, and an alarm is raised', async () => {
    await lostRemovals(21);
    for (const _ of [1, 2, 3]) {
      expect(await it.invoke()).toMatchObject({ status: 'done', counts: { candidates: 21, held: 21, gone: 0 } });
      it.passHours(24);
    }
    expect(it.measured.at(-1)?.metrics).toMatchObject({ RemovalsHeld: 21, Gone: 0, ArgyleRequests: 1 });
    expect(it.errors.at(-1)).toMatchObject({
      code: 'removals_held',
      fields: { candidates: 21, most: 20, records: 21 },
    });
    expect(it.sent).toEqual([]);
  });

  test('are named in the log, the first 20 of them', async () => {
    const lost = (await lostRemovals(21)).map(({ userUpload }) => userUpload);
    await invokeToTheEnd();
    const named = String(it.errors.at(-1)?.fields.userUploads).split(' ');
    expect(new Set(named).size).toBe(20);
    expect(named.filter((id) => !lost.includes(id))).toEqual([]);
  });

  test('are 21 of 100, and not 20', async () => {
    await lostRemovals(20);
    expect(await it.invoke()).toMatchObject({ counts: { candidates: 20, held: 0 } });
    it.passHours(12);
    expect(await it.invoke()).toMatchObject({ counts: { gone: 20 } });
  });

  test('go when somebody confirms as many, in two runs 12 h apart', async () => {
    await lostRemovals(21);
    expect(await it.invoke({ confirmRemovals: 20 })).toMatchObject({ counts: { held: 21 } });
    expect(await it.invoke({ confirmRemovals: 21 })).toMatchObject({ counts: { held: 0, gone: 0 } });
    it.passHours(6);
    // The schedule's own run in between confirms nothing, and undoes nothing.
    expect(await it.invoke()).toMatchObject({ counts: { held: 21 } });
    it.passHours(6);
    expect(await it.invoke({ confirmRemovals: 21 })).toMatchObject({ counts: { held: 0, gone: 21 } });
    await it.applySent();
    expect(await it.invoke()).toMatchObject({ counts: { records: 0, candidates: 0 } });
  });

  test('are held under the keys of another workspace, whose uploads become records of their own', async () => {
    await lostRemovals(25);
    await it.control.seedUploads(30, 2);
    expect(await it.invoke()).toMatchObject({ counts: { checked: 30, missing: 30, held: 25 } });
    await it.applySent();
    it.passHours(24);
    expect(await it.invoke()).toMatchObject({ counts: { missing: 0, held: 25, gone: 0 } });
    expect(it.sent).toEqual([]);
  });
});

// An upload with a record so many hours old, removed at Argyle without anybody having heard of it.
async function lostRemoval(ageHours = 25) {
  const known = await it.control.uploadDocument();
  const addedAt = new Date(it.nowMs() - ageHours * 3_600_000).toISOString();
  await it.seed({ userUpload: { S: known.userUpload }, account: { S: known.account }, addedAt: { S: addedAt } });
  await it.control.removeUpload(known.userUpload);
  return known;
}

function slots(day: string): Record<string, { S: string }> {
  return Object.fromEntries(
    Object.values(events)
      .map(({ slot }) => [slot, { S: `${day}T00:00:00.000Z` }])
      .filter(([slot]) => slot !== 'removedAt'),
  );
}

async function lostRemovals(count: number) {
  return Promise.all(Array.from({ length: count }, () => lostRemoval()));
}

async function invokeToTheEnd(): Promise<void> {
  let answer = await it.invoke({}, { workMs: 0 });
  while (answer.status === 'continues') answer = await it.invoke(it.continued.at(-1), { workMs: 0 });
}

function removals(): string[] {
  return it.sent
    .filter(({ message }) => message.attributes.event === 'user_uploads.removed')
    .map(({ message }) => JSON.parse(message.body).data.user_upload);
}
