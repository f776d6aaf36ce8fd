import { afterAll, beforeEach, expect, test } from 'vitest';
import { seededIds } from '../../../tools/fake-argyle/seeded-upload.ts';
import type { UserUpload } from '../../../tools/fake-argyle/user-upload.ts';
import { startArgyle } from '../../support/fakes/argyle-api.ts';

const argyle = await startArgyle();
const { ask, control } = argyle;
beforeEach(() => control.reset());
afterAll(argyle.stop);

const read = async (userUpload: string) => (await ask('GET', `/user-uploads/${userUpload}`)).body;
const list = async (query: string) => (await argyle.list(`/user-uploads?${query}`)).flat().sort();
const ids = (...numbers: number[]) => numbers.map((number) => seededIds(1, number).userUpload);

test('a document has every field of the user-upload object, without its user', async () => {
  const created = await control.uploadDocument({ documentType: 'W-2', fileName: 'Jane <W-2>.pdf' });
  expect(await read(created.userUpload)).toEqual({
    id: created.userUpload,
    account: created.account,
    document_type: 'W-2',
    file_url: expect.stringContaining(created.userUpload),
    file_name: 'Jane <W-2>.pdf',
    metadata: { ocr_data: null, ocr_authenticity: null, ocr_authenticity_score: null },
    processing: { classification: 'idle', ocr: 'idle', authenticity: 'idle' },
    created_at: created.upload.created_at,
    updated_at: created.upload.created_at,
  });
  expect(created.user).toMatch(/^[0-9a-f-]{36}$/);
});

test('the documents of an account have one user, and an id can be used once', async () => {
  const { account, user, userUpload } = await control.uploadDocument();
  const other = await control.uploadDocument({ account });
  expect(other.user).toBe(user);
  expect(other.userUpload).not.toBe(userUpload);
  await expect(control.uploadDocument({ userUpload })).rejects.toThrow('taken');
});

const data = { fields: expect.any(Object) };
const score = { ocr_authenticity: expect.any(Object), ocr_authenticity_score: 12 };
test.each([
  [{ result: 'success', documentType: '1099' }, { ocr_data: data }, { classification: 'completed', ocr: 'completed' }],
  [{ result: 'failure', error: 'Too dark.' }, { ocr_data: { error: 'Too dark.' } }, { ocr: 'failed' }],
  [{ result: 'failure', error: { code: 7 } }, { ocr_data: { error: { code: 7 } } }, { ocr: 'failed' }],
  [{ result: 'authenticity', score: 12 }, score, { authenticity: 'completed' }],
] as const)('OCR with %j changes the metadata to %j and the processing to %j', async (run, metadata, processing) => {
  const { userUpload, upload } = await control.uploadDocument();
  await control.runOcr(userUpload, run);
  expect(await read(userUpload)).toEqual({
    ...upload,
    document_type: run.result === 'success' ? run.documentType : upload.document_type,
    metadata: { ...upload.metadata, ...metadata },
    processing: { ...upload.processing, ...processing },
    updated_at: expect.any(String),
  });
});

test('a removed document is answered 404 and not listed, but the control can read it', async () => {
  const kept = await control.uploadDocument();
  const { userUpload } = await control.uploadDocument();
  await control.removeUpload(userUpload);
  expect((await ask('GET', `/user-uploads/${userUpload}`)).status).toBe(404);
  expect(await list('')).toEqual([kept.userUpload]);
  expect(await control.readUpload(userUpload)).toMatchObject({ userUpload, isRemoved: true });
  expect((await control.state()).uploads).toBe(1);
  await expect(control.removeUpload(userUpload)).rejects.toThrow('no such upload');
  await expect(control.runOcr(userUpload, { result: 'success' })).rejects.toThrow('no such upload');
});

test('deleting an account removes all of its documents, and no others', async () => {
  await control.seedUploads(9, 1);
  const { account } = seededIds(1, 4);
  const { userUpload } = await control.uploadDocument({ account });
  const removed = await control.removeAccount(account);
  expect(removed.map((known) => known.userUpload).sort()).toEqual([...ids(3, 4, 5), userUpload].sort());
  expect(await list('')).toEqual(ids(0, 1, 2, 6, 7, 8).sort());
});

test('fields can be overwritten or deleted without an event', async () => {
  const { userUpload, upload } = await control.uploadDocument();
  await control.changeUpload(userUpload, { processing: null, updated_at: 'yesterday' });
  const { processing, ...rest } = upload;
  expect(await read(userUpload)).toEqual({ ...rest, updated_at: 'yesterday' });
  expect(await control.readUpload(userUpload)).toMatchObject({ events: ['user_uploads.added'] });
});

test('lists can be filtered by account, user and document type', async () => {
  const { account, user } = seededIds(1, 10);
  const { userUpload } = await control.uploadDocument({ account, user, documentType: 'other' });
  await control.seedUploads(100, 1);
  expect(await list(`limit=2&account=${account}`)).toEqual([...ids(9, 10, 11), userUpload].sort());
  expect(await list(`limit=2&user=${user}`)).toEqual([...ids(6, 7, 8, 9, 10, 11), userUpload].sort());
  expect(await list(`user=${user}&document_type=other`)).toEqual([userUpload]);
  expect(await list(`account=${user}`)).toEqual([]);
  expect(await list(`account=${account}&user=${seededIds(1, 0).user}`)).toEqual([]);
  expect(await list('document_type=paystubs')).toHaveLength(17);
});

test('a million seeded documents take little memory, can be read by id, and are listed to the end', async () => {
  const before = (await control.state()).memoryBytes;
  await control.seedUploads(1_000_000, 7);

  const newest = (await argyle.list('/user-uploads?limit=200', 10)).flat();
  const cursor = Buffer.from('before 200').toString('base64');
  const oldest = await argyle.list(`/user-uploads?limit=200&cursor=${cursor}`);

  expect(newest[0]).toBe(seededIds(7, 999_999).userUpload);
  expect(new Set(newest).size).toBe(2_000);
  expect(oldest).toEqual([Array.from({ length: 200 }, (_, number) => seededIds(7, 199 - number).userUpload)]);
  for (const number of [0, 1, 123_456, 999_999]) {
    const { userUpload, account } = seededIds(7, number);
    expect(await read(userUpload)).toMatchObject({ id: userUpload, account });
  }
  const { uploads, memoryBytes } = await control.state();
  expect(uploads).toBe(1_000_000);
  // As objects they would take about a gigabyte.
  expect(memoryBytes - before).toBeLessThan(150e6);
});

test('seeded documents have every state that a reader must distinguish, the same after each reset', async () => {
  const seed = async () => {
    await control.reset();
    await control.seedUploads(200, 3);
    return (await ask('GET', '/user-uploads?limit=200')).body.results as UserUpload[];
  };
  const uploads = await seed();
  expect(await seed()).toEqual(uploads);
  const states = uploads.map(({ processing }) => processing?.ocr);
  expect(new Set(states)).toEqual(new Set(['idle', 'completed', 'failed', undefined]));
  const errors = uploads.map(({ metadata }) => typeof Object(metadata.ocr_data).error);
  expect(new Set(errors)).toEqual(new Set(['undefined', 'string', 'object']));
});
