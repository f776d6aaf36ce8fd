import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ConnectedPipeline, startConnectedPipeline, until } from '../support/emulators/local-pipeline.ts';
import { webhookBody } from '../support/fakes/argyle-sender.ts';

let pipeline: ConnectedPipeline;
beforeAll(async () => {
  pipeline = await startConnectedPipeline();
  // Forgets the subscription: these tests deliver by themselves, when it suits them.
  await pipeline.argyle.reset();
});
afterAll(() => pipeline.stop());
beforeEach(() => pipeline.argyle.clearFaults());

test('a document is in the record after its event, and gone after its removal', async () => {
  const ids = await pipeline.argyle.uploadDocument({ documentType: 'W-2', fileName: 'my w2.pdf' });
  await deliver('user_uploads.added', ids);
  const uploaded = await pipeline.readRecord(ids.userUpload);
  await pipeline.argyle.runOcr(ids.userUpload, { result: 'failure', error: { message: 'blurred', page: 2 } });
  await deliver('user_uploads.ocr_failed', ids);
  const failed = await pipeline.readRecord(ids.userUpload);
  await pipeline.argyle.removeUpload(ids.userUpload);
  await deliver('user_uploads.removed', ids);
  await deliver('user_uploads.added', ids);
  const removed = await pipeline.readRecord(ids.userUpload);

  expect(uploaded?.document).toMatchObject({ type: 'W-2', fileName: 'my w2.pdf', ocrErrors: [] });
  expect(failed?.document).toMatchObject({
    ocrErrors: ['{"message":"blurred","page":2}'],
    processing: { ocr: 'failed' },
  });
  expect(failed?.document.updatedAt > uploaded?.document.updatedAt).toBe(true);
  expect(removed).not.toHaveProperty('document');
});

test('while Argyle does not serve us the event is in the record at once, and the document follows', async () => {
  const ids = await pipeline.argyle.uploadDocument();
  const path = '/v2/user-uploads';
  await pipeline.argyle.setFaults({ failures: [{ path, status: 429, retryAfter: 1, times: 2 }] });
  await pipeline.post(webhookBody('user_uploads.added', ids));
  await until(async () => (await pipeline.readRecord(ids.userUpload)) !== undefined);
  const atOnce = await pipeline.readRecord(ids.userUpload);
  await pipeline.drained();
  const afterwards = await pipeline.readRecord(ids.userUpload);

  expect(atOnce).toEqual({ ...idsOf(ids), addedAt: expect.any(String) });
  expect(afterwards?.document).toMatchObject({ type: 'paystubs' });
  expect(afterwards?.addedAt).toBe(atOnce?.addedAt);
  const { requests } = await pipeline.argyle.state();
  expect(JSON.stringify(requests)).toContain('429');
}, 60_000);

test('a document that Argyle does not know leaves the event as it is, and no message behind', async () => {
  const ids = { userUpload: 'ffffffff-0000-0000-0000-000000000001', account: 'a', user: 'u' };
  const known = { ...ids, account: ids.userUpload, user: ids.userUpload };
  await deliver('user_uploads.ocr_completed', known);
  expect(await pipeline.readRecord(ids.userUpload)).toEqual({ ...known, ocrCompletedAt: expect.any(String) });
  const dead = (await pipeline.queueStates()).map((queue) => queue.dead);
  expect(Math.max(...dead)).toBe(0);
});

test('no log line of a function holds a file name, OCR data, an answer of Argyle or its key', async () => {
  const canary = 'canary-7f3a';
  const ids = await pipeline.argyle.uploadDocument({ fileName: `${canary}.pdf`, documentType: canary });
  await pipeline.argyle.runOcr(ids.userUpload, { result: 'failure', error: canary });
  await pipeline.argyle.setFaults({ failures: [{ path: '/v2/user-uploads', status: 500, body: canary, times: 1 }] });
  await deliver('user_uploads.added', ids);
  await deliver('user_uploads.ocr_failed', ids);

  expect((await pipeline.readRecord(ids.userUpload))?.document.fileName).toBe(`${canary}.pdf`);
  const log = pipeline.logLines.join('\n');
  expect(log).toContain('http_500');
  expect(log).not.toContain(canary);
  expect(log).not.toContain('key-secret-of-the-test');
}, 60_000);

type Ids = { readonly userUpload: string; readonly account: string; readonly user: string };

async function deliver(event: Parameters<typeof webhookBody>[0], ids: Ids): Promise<void> {
  await pipeline.post(webhookBody(event, idsOf(ids)));
  await pipeline.drained();
}

function idsOf({ userUpload, account, user }: Ids): Ids {
  return { userUpload, account, user };
}
