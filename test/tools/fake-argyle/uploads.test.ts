import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { seededIds } from '../../../tools/fake-argyle/seeded-upload.ts';
import type { UserUpload } from '../../../tools/fake-argyle/user-upload.ts';
import { type Argyle, idsOf, startArgyle, walk } from '../../support/fakes/argyle-api.ts';

let argyle: Argyle;
const ask: Argyle['ask'] = (...given) => argyle.ask(...given);
beforeAll(async () => {
  argyle = await startArgyle();
});
beforeEach(() => argyle.control.reset());
afterAll(() => argyle.stop());

const read = async (userUpload: string) => (await ask('GET', `/user-uploads/${userUpload}`)).body;

test('a document is shown with every field of the user-upload object, and without its user', async () => {
  const made = await argyle.control.uploadDocument({ documentType: 'W-2', fileName: 'Jane <W-2>.pdf' });
  expect(await read(made.userUpload)).toEqual({
    id: made.userUpload,
    account: made.account,
    document_type: 'W-2',
    file_url: expect.stringContaining(made.userUpload),
    file_name: 'Jane <W-2>.pdf',
    metadata: { ocr_data: null, ocr_authenticity: null, ocr_authenticity_score: null },
    processing: { classification: 'idle', ocr: 'idle', authenticity: 'idle' },
    created_at: made.upload.created_at,
    updated_at: made.upload.created_at,
  });
  expect(made.user).toMatch(/^[0-9a-f-]{36}$/);
});

test('the documents of an account have one user', async () => {
  const one = await argyle.control.uploadDocument();
  const other = await argyle.control.uploadDocument({ account: one.account });
  expect(other.user).toBe(one.user);
  expect(other.userUpload).not.toBe(one.userUpload);
});

describe('OCR', () => {
  test('a success fills the data and completes, and may overwrite the document type', async () => {
    const { userUpload, upload } = await argyle.control.uploadDocument();
    await argyle.control.runOcr(userUpload, { result: 'success', documentType: '1099' });
    expect(await read(userUpload)).toEqual({
      ...upload,
      document_type: '1099',
      metadata: { ...upload.metadata, ocr_data: { fields: expect.any(Object) } },
      processing: { classification: 'completed', ocr: 'completed', authenticity: 'idle' },
      updated_at: expect.any(String),
    });
  });

  test.each(['Too dark.', { code: 7, reason: 'Too dark.' }])('a failure says why: %j', async (error) => {
    const { userUpload } = await argyle.control.uploadDocument();
    await argyle.control.runOcr(userUpload, { result: 'failure', error });
    expect(await read(userUpload)).toMatchObject({ metadata: { ocr_data: { error } }, processing: { ocr: 'failed' } });
  });

  test('authenticity has a score and a status of its own', async () => {
    const { userUpload } = await argyle.control.uploadDocument();
    await argyle.control.runOcr(userUpload, { result: 'authenticity', score: 12 });
    expect(await read(userUpload)).toMatchObject({
      metadata: { ocr_data: null, ocr_authenticity: expect.any(Object), ocr_authenticity_score: 12 },
      processing: { ocr: 'idle', authenticity: 'completed' },
    });
  });

  test('another result is refused, as is a document that is not there', async () => {
    const { userUpload } = await argyle.control.uploadDocument();
    await expect(argyle.control.runOcr(userUpload, { result: 'maybe' as 'success' })).rejects.toThrow('400');
    await argyle.control.removeUpload(userUpload);
    await expect(argyle.control.runOcr(userUpload, { result: 'success' })).rejects.toThrow('404');
  });
});

describe('removal', () => {
  test('a removed document is answered 404 and listed no more, but the control still knows it', async () => {
    const kept = await argyle.control.uploadDocument();
    const { userUpload } = await argyle.control.uploadDocument();
    await argyle.control.removeUpload(userUpload);
    expect((await ask('GET', `/user-uploads/${userUpload}`)).status).toBe(404);
    expect(idsOf(await walk(ask, '/user-uploads'))).toEqual([kept.userUpload]);
    expect(await argyle.control.readUpload(userUpload)).toMatchObject({ userUpload, isRemoved: true });
    expect((await argyle.control.state()).uploads).toBe(1);
    await expect(argyle.control.removeUpload(userUpload)).rejects.toThrow('404');
  });

  test("a deleted account takes all of its documents, and nobody else's", async () => {
    await argyle.control.seedUploads(9, 1);
    const { account } = seededIds(1, 4);
    const { userUpload } = await argyle.control.uploadDocument({ account });
    const removed = await argyle.control.removeAccount(account);
    const expected = [3, 4, 5].map((number) => seededIds(1, number).userUpload);
    expect(removed.map((known) => known.userUpload).sort()).toEqual([...expected, userUpload].sort());
    expect(idsOf(await walk(ask, '/user-uploads'))).toHaveLength(6);
  });
});

test('fields can be made wrong or taken away without an event', async () => {
  const { userUpload, upload } = await argyle.control.uploadDocument();
  await argyle.control.changeUpload(userUpload, { processing: null, updated_at: 'yesterday' });
  const { processing, ...rest } = upload;
  expect(await read(userUpload)).toEqual({ ...rest, updated_at: 'yesterday' });
  expect(await argyle.control.readUpload(userUpload)).toMatchObject({ events: ['user_uploads.added'] });
});

test('lists can be narrowed to an account, a user and a document type', async () => {
  const { account, user } = seededIds(1, 10);
  const made = await argyle.control.uploadDocument({ account, user, documentType: 'other' });
  await argyle.control.seedUploads(100, 1);
  const list = async (query: string) => idsOf(await walk(ask, `/user-uploads?limit=2&${query}`)).sort();
  const ids = (...numbers: number[]) => numbers.map((number) => seededIds(1, number).userUpload);

  expect(await list(`account=${account}`)).toEqual([...ids(9, 10, 11), made.userUpload].sort());
  expect(await list(`user=${user}`)).toEqual([...ids(6, 7, 8, 9, 10, 11), made.userUpload].sort());
  expect(await list(`user=${user}&document_type=other`)).toEqual([made.userUpload]);
  expect(await list(`account=${user}`)).toEqual([]);
  expect(await list(`account=${account}&user=${seededIds(1, 0).user}`)).toEqual([]);
  expect(await list('document_type=paystubs')).toHaveLength(17);
});

test('a million seeded documents take no memory, can be read by their id, and are listed to the last', async () => {
  const before = (await argyle.control.state()).memoryBytes;
  await argyle.control.seedUploads(1_000_000, 7);

  const pages = await walk(ask, '/user-uploads?limit=200', 10);
  const far = Buffer.from('before 200').toString('base64');
  const last = await walk(ask, `/user-uploads?limit=200&cursor=${far}`);

  expect(idsOf(pages)[0]).toBe(seededIds(7, 999_999).userUpload);
  expect(new Set(idsOf(pages)).size).toBe(2_000);
  expect(idsOf(last)).toEqual(Array.from({ length: 200 }, (_, number) => seededIds(7, 199 - number).userUpload));
  expect(last).toMatchObject([{ next: null }]);
  for (const number of [0, 1, 123_456, 999_999]) {
    const { userUpload, account } = seededIds(7, number);
    expect(await read(userUpload)).toMatchObject({ id: userUpload, account });
  }
  const { uploads, memoryBytes } = await argyle.control.state();
  expect(uploads).toBe(1_000_000);
  // Kept as objects they would be about a gigabyte.
  expect(memoryBytes - before).toBeLessThan(150e6);
});

test('seeded documents come in every state that a reader has to tell apart, the same each time', async () => {
  await argyle.control.seedUploads(200, 3);
  const list = async () => ((await ask('GET', '/user-uploads?limit=200')).body.results ?? []) as UserUpload[];
  const first = await list();
  await argyle.control.reset();
  await argyle.control.seedUploads(200, 3);

  expect(await list()).toEqual(first);
  const states = first.map(({ processing }) => processing?.ocr);
  expect(new Set(states)).toEqual(new Set(['idle', 'completed', 'failed', undefined]));
  const errors = first.map(({ metadata }) => typeof Object(metadata.ocr_data).error);
  expect(new Set(errors)).toEqual(new Set(['undefined', 'string', 'object']));
});
