import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAskArgyle, ListError } from '../../../functions/argyle/argyle-api.ts';
import { createPace } from '../../../functions/argyle/pace.ts';
import { createUserUploads, OutOfTimeError } from '../../../functions/argyle/user-uploads.ts';
import { type ArgyleControl, createArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { type FakeArgyle, startFakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';
import { seededIds } from '../../../tools/fake-argyle/seeded-upload.ts';
import { sample } from '../../support/builders/builders.ts';

const key = { apiKeyId: 'id', apiKeySecret: 'secret' };
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
    const { uploads } = open();
    const sizes: number[] = [];
    const ids = new Set<unknown>();
    let next: string | undefined;
    do {
      const page = await uploads.readPage(next, never);
      for (const result of page.results) ids.add((result as { id: unknown }).id);
      sizes.push(page.results.length);
      next = page.next;
    } while (next);
    expect(sizes).toEqual([200, 200, 50]);
    expect(ids).toEqual(new Set(Array.from({ length: 450 }, (_, n) => seededIds(1, n).userUpload)));
    expect(uploads.requests()).toBe(3);
  });

  test('is empty where there is nothing', async () => {
    expect(await open().uploads.readPage(undefined, never)).toEqual({ results: [], next: undefined });
  });
});

describe('a busy Argyle', () => {
  test('is asked again after as many seconds as it says', async () => {
    await control.setFaults({ failures: [{ path: '/v2/user-uploads', status: 429, retryAfter: 7, times: 2 }] });
    const { uploads, waitsMs } = open();
    await uploads.readPage(undefined, never);
    expect(waitsMs()).toEqual([7_000, 7_000]);
    expect(uploads.requests()).toBe(3);
  });

  test.each([429, 500, 502, 503, 'disconnect'] as const)(
    'that says no time (%s) is asked again after 1 s, doubling to 1 min, and given up after two minutes',
    async (status) => {
      await control.setFaults({ failures: [{ path: '/v2/user-uploads', status }] });
      const { uploads, waitsMs } = open();
      await expect(uploads.readPage(undefined, never)).rejects.toMatchObject({
        code: status === 'disconnect' ? 'no_answer' : `http_${status}`,
      });
      expect(waitsMs()).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
    },
  );

  test('is not waited for beyond the time there is', async () => {
    await control.setFaults({ failures: [{ path: '/v2/user-uploads', status: 503, retryAfter: 60 }] });
    const { uploads, waitsMs } = open();
    await expect(uploads.readPage(undefined, 59_000)).rejects.toThrow(OutOfTimeError);
    expect(waitsMs()).toEqual([]);
  });
});

describe('a list that Argyle will not give', () => {
  test.each([401, 403])('for a wrong key (%i) names the secret to put a valid one into', async (status) => {
    await control.setFaults({ failures: [{ path: '/v2/user-uploads', status }] });
    const reading = open().uploads.readPage(undefined, never);
    await expect(reading).rejects.toThrow(ListError);
    await expect(reading).rejects.toThrow(
      `refused the API key with ${status}: put a valid key into the secret argyle/key`,
    );
  });

  test('for a wrong key is asked for once only', async () => {
    const { uploads } = open({ ...key, apiKeySecret: 'wrong' });
    await expect(uploads.readPage(undefined, never)).rejects.toThrow('401');
    expect(uploads.requests()).toBe(1);
  });

  test.each([400, 404])('says so: %i', async (status) => {
    await control.setFaults({ failures: [{ path: '/v2/user-uploads', status }] });
    await expect(open().uploads.readPage(undefined, never)).rejects.toThrow(ListError);
  });

  test('is one without results', async () => {
    await control.setFaults({ failures: [{ path: '/v2/user-uploads', status: 200, body: '{"items": []}' }] });
    await expect(open().uploads.readPage(undefined, never)).rejects.toThrow(ListError);
  });

  test('is one whose page names itself as the next one', async () => {
    const next = `${argyle.url}/user-uploads?cursor=1`;
    const body = JSON.stringify({ results: [], next });
    await control.setFaults({ failures: [{ path: '/v2/user-uploads', status: 200, body }] });
    expect(await open().uploads.readPage(undefined, never)).toEqual({ results: [], next });
    await expect(open().uploads.readPage(next, never)).rejects.toThrow('names itself');
  });

  test('is one that goes on at another host: no key is sent there', async () => {
    await control.seedUploads(201, 1);
    await control.setFaults({ linkOrigin: 'http://127.0.0.1:1' });
    const { uploads } = open();
    const { next } = await uploads.readPage(undefined, never);
    await expect(uploads.readPage(next, never)).rejects.toThrow(ListError);
    await expect(uploads.readPage(next, never)).rejects.toThrow('no credentials are sent there');
  });
});

test('a list whose next page is no URL cannot be followed', async () => {
  await expect(open().uploads.readPage('?cursor=2', never)).rejects.toThrow(ListError);
});

describe('a document', () => {
  test('is there until Argyle answers 404', async () => {
    const { userUpload } = await control.uploadDocument();
    const { uploads } = open();
    expect(await uploads.has(userUpload, never)).toBe(true);
    await control.removeUpload(userUpload);
    expect(await uploads.has(userUpload, never)).toBe(false);
    expect(await uploads.has(sample.userUpload, never)).toBe(false);
  });

  test.each([401, 400])('is neither there nor gone when Argyle answers %i', async (status) => {
    await control.setFaults({ failures: [{ path: '/v2/user-uploads/', status }] });
    await expect(open().uploads.has(sample.userUpload, never)).rejects.toThrow(ListError);
  });

  test('is neither there nor gone while Argyle is busy', async () => {
    await control.setFaults({ failures: [{ path: '/v2/user-uploads/', status: 503 }] });
    await expect(open().uploads.has(sample.userUpload, 5_000)).rejects.toThrow(OutOfTimeError);
  });
});

const never = Number.MAX_SAFE_INTEGER;

// On a clock that moves by waiting alone. `waitsMs`: the waits between tries, the pace's own aside.
function open(credentials = key) {
  let nowMs = 0;
  const waits: number[] = [];
  const wait = async (ms: number) => {
    nowMs += ms;
    waits.push(ms);
  };
  const uploads = createUserUploads({
    askArgyle: createAskArgyle(argyle.url, async () => credentials),
    pace: createPace(40, () => nowMs, wait),
    wait,
    nowMs: () => nowMs,
    secretName: 'argyle/key',
  });
  return { uploads, waitsMs: () => waits.filter((ms) => ms > 25) };
}
