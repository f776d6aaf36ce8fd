import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAskArgyle, createPacedArgyle } from '../../../functions/argyle/argyle-api.ts';
import { type ListPosition, listStart } from '../../../functions/argyle/list-pages.ts';
import { createPace, OutOfTimeError } from '../../../functions/argyle/retry.ts';
import { createUserUploads, type UserUploads } from '../../../functions/argyle/user-uploads.ts';
import { type ArgyleControl, createArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { type FakeArgyle, startFakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';
import { seededIds } from '../../../tools/fake-argyle/seeded-upload.ts';
import { sample } from '../../support/builders/builders.ts';

const key = { apiKeyId: 'id', apiKeySecret: 'secret' };
const never = Number.MAX_SAFE_INTEGER;
const permanent = { name: 'ArgyleError', isTransient: false };

let argyle: FakeArgyle;
let control: ArgyleControl;
beforeAll(async () => {
  argyle = await startFakeArgyle({ port: 0, ...key });
  control = createArgyleControl(argyle.controlUrl);
});
afterAll(() => argyle.stop());
beforeEach(() => control.reset());

describe('the list of user uploads', () => {
  test('is read to its end in pages of 200', async () => {
    await control.seedUploads(450, 1);
    const { uploads, requests } = open();
    const sizes: number[] = [];
    const ids = new Set<unknown>();
    let position: ListPosition = listStart;
    do {
      const page = await uploads.readPage(position, never);
      for (const result of page.results) ids.add((result as { id: unknown }).id);
      sizes.push(page.results.length);
      position = page.position;
    } while (position.nextPage);
    expect(sizes).toEqual([200, 200, 50]);
    expect(ids).toEqual(new Set(Array.from({ length: 450 }, (_, n) => seededIds(1, n).userUpload)));
    expect(requests()).toBe(3);
  });

  test('is one empty page when there are no uploads', async () => {
    expect(await open().uploads.readPage(listStart, never)).toEqual({ results: [], position: { pagesRead: 1 } });
  });
});

describe('while Argyle is unavailable', () => {
  test('the request is retried after Retry-After', async () => {
    await control.setFaults({ failures: [{ path: '/v2/user-uploads', status: 429, retryAfter: 7, times: 2 }] });
    const { uploads, requests, delaysMs } = open();
    await uploads.readPage(listStart, never);
    expect(delaysMs()).toEqual([7_000, 7_000]);
    expect(requests()).toBe(3);
  });

  test('the request is retried after its own backoff when Retry-After is 0', async () => {
    await control.setFaults({ failures: [{ path: '/v2/user-uploads', status: 429, retryAfter: 0, times: 3 }] });
    const { uploads, delaysMs } = open();
    await uploads.readPage(listStart, never);
    expect(delaysMs()).toEqual([1_000, 2_000, 4_000]);
  });

  test.each([429, 500, 502, 503, 'disconnect'] as const)(
    'without Retry-After (%s), the request is retried after 1 s, doubling to 1 min, and fails after two minutes',
    async (status) => {
      await control.setFaults({ failures: [{ path: '/v2/user-uploads', status }] });
      const { uploads, delaysMs } = open();
      await expect(uploads.readPage(listStart, never)).rejects.toMatchObject({
        code: status === 'disconnect' ? 'no_answer' : `http_${status}`,
        isTransient: true,
      });
      expect(delaysMs()).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
    },
  );

  test('no retry starts after the time that is left', async () => {
    await control.setFaults({ failures: [{ path: '/v2/user-uploads', status: 503, retryAfter: 60 }] });
    const { uploads, delaysMs } = open();
    await expect(uploads.readPage(listStart, 59_000)).rejects.toThrow(OutOfTimeError);
    expect(delaysMs()).toEqual([]);
  });
});

describe('a permanent failure of the list', () => {
  test.each([400, 401, 403, 404])('is the status %i, without a retry', async (status) => {
    await control.setFaults({ failures: [{ path: '/v2/user-uploads', status }] });
    const { uploads, requests } = open();
    await expect(uploads.readPage(listStart, never)).rejects.toMatchObject({ ...permanent, code: `http_${status}` });
    expect(requests()).toBe(1);
  });

  test('is a wrong key, whose error names the secret', async () => {
    const { uploads } = open({ ...key, apiKeySecret: 'wrong' });
    await expect(uploads.readPage(listStart, never)).rejects.toThrow('put a valid key into the secret argyle/key.');
  });

  test('is an answer without results', async () => {
    await control.setFaults({ failures: [{ path: '/v2/user-uploads', status: 200, body: '{"items": []}' }] });
    await expect(open().uploads.readPage(listStart, never)).rejects.toMatchObject(permanent);
  });

  test('is a list that leads back to an earlier page', async () => {
    await control.seedUploads(700, 1);
    await control.setFaults({ cyclingLists: true });
    const { uploads, requests } = open();
    const reading = readAll(uploads);
    await expect(reading).rejects.toMatchObject(permanent);
    await expect(reading).rejects.toThrow('names an earlier page as the next one.');
    expect(requests()).toBeLessThanOrEqual(3 * 5);
  });

  test('is a list of more than 50,000 pages', async () => {
    await control.seedUploads(401, 1);
    const read = open().uploads.readPage;
    await expect(read({ pagesRead: 49_999 }, never)).rejects.toThrow('more than 50000 pages');
    const { position } = await read({ pagesRead: 49_998 }, never);
    await expect(read(position, never)).rejects.toMatchObject(permanent);
  });

  test('is a next page on another host, to which no key is sent', async () => {
    await control.seedUploads(201, 1);
    await control.setFaults({ linkOrigin: 'http://127.0.0.1:1' });
    const { uploads } = open();
    const { position } = await uploads.readPage(listStart, never);
    const reading = uploads.readPage(position, never);
    await expect(reading).rejects.toMatchObject(permanent);
    await expect(reading).rejects.toThrow('no credentials are sent there');
  });

  test('is a next page that is not a URL', async () => {
    await expect(open().uploads.readPage({ nextPage: '?cursor=2', pagesRead: 1 }, never)).rejects.toMatchObject(
      permanent,
    );
  });
});

describe('a document', () => {
  test('exists until Argyle answers 404', async () => {
    const { userUpload } = await control.uploadDocument();
    const { uploads } = open();
    expect(await uploads.has(userUpload, never)).toBe(true);
    await control.removeUpload(userUpload);
    expect(await uploads.has(userUpload, never)).toBe(false);
    expect(await uploads.has(sample.userUpload, never)).toBe(false);
  });

  test.each([401, 400])('is neither reported as existing nor as gone when Argyle answers %i', async (status) => {
    await control.setFaults({ failures: [{ path: '/v2/user-uploads/', status }] });
    await expect(open().uploads.has(sample.userUpload, never)).rejects.toMatchObject(permanent);
  });

  test('is neither reported as existing nor as gone while Argyle is unavailable', async () => {
    await control.setFaults({ failures: [{ path: '/v2/user-uploads/', status: 503 }] });
    await expect(open().uploads.has(sample.userUpload, 5_000)).rejects.toThrow(OutOfTimeError);
  });
});

async function readAll(uploads: UserUploads): Promise<void> {
  let position: ListPosition = listStart;
  do position = (await uploads.readPage(position, never)).position;
  while (position.nextPage);
}

// On a fake clock that only sleeping moves. `delaysMs`: the delays of retries, without those of the pace.
function open(credentials = key) {
  let nowMs = 0;
  const delays: number[] = [];
  const sleep = async (ms: number) => {
    nowMs += ms;
    delays.push(ms);
  };
  const pace = createPace(40, () => nowMs, sleep);
  const { askArgyle, requests } = createPacedArgyle(
    createAskArgyle(argyle.url, async () => credentials),
    pace,
  );
  const uploads = createUserUploads({ askArgyle, sleep, nowMs: () => nowMs, secretName: 'argyle/key' });
  return { uploads, requests, delaysMs: () => delays.filter((ms) => ms > 25) };
}
