import { ChangeMessageVisibilityBatchCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import { type ConnectedPipeline, startConnectedPipeline, until } from '../support/emulators/local-pipeline.ts';
import { newUpload, type UploadIds, webhookBody } from '../support/fakes/argyle-sender.ts';

type Postponement = {
  readonly QueueUrl: string;
  readonly Entries: readonly {
    readonly Id: string;
    readonly ReceiptHandle: string;
    readonly VisibilityTimeout: number;
  }[];
};

let pipeline: ConnectedPipeline;
const postponements: Postponement[] = [];
beforeAll(async () => {
  pipeline = await startConnectedPipeline({
    disturb: ({ action }, input) => {
      if (action === 'ChangeMessageVisibilityBatch') postponements.push(input as Postponement);
      return undefined;
    },
  });
  // Removes the subscription: the tests deliver the webhooks themselves.
  await pipeline.argyle.reset();
});
afterAll(() => pipeline.stop());
beforeEach(async () => {
  postponements.length = 0;
  await pipeline.argyle.clearFaults();
});

test('the record contains the document after an event, and no document after the removal', async () => {
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

test('while Argyle is unavailable, the record has the event; a retry after the backoff adds the document', async () => {
  const ids = await pipeline.argyle.uploadDocument();
  await pipeline.argyle.setFaults({ failures: [{ path: '/v2/user-uploads', status: 429, retryAfter: 7 }] });
  await pipeline.post(webhookBody('user_uploads.added', ids));
  await until(async () => postponements.length >= 1);
  const before = await pipeline.readRecord(ids.userUpload);
  await until(async () => {
    await retryNow();
    return postponements.length >= 2;
  });
  await pipeline.argyle.clearFaults();
  await drainedWithRetries();
  const after = await pipeline.readRecord(ids.userUpload);

  const { account, user, userUpload } = ids;
  expect(before).toEqual({ account, user, userUpload, addedAt: expect.any(String) });
  expect(after).toMatchObject({ addedAt: before?.addedAt, document: { type: 'paystubs' } });
  const [first = 0, second = 0] = postponements.map(({ Entries }) => Entries[0]?.VisibilityTimeout);
  // Argyle's Retry-After of 7 s is longer than the backoff of 5 s, but shorter than the next one of 10 s.
  expect(first).toBeGreaterThanOrEqual(7);
  expect(first).toBeLessThan(10);
  expect(second).toBeGreaterThanOrEqual(10);
});

test('for a document that Argyle does not know, there is a record without a document, and no dead letter', async () => {
  const ids = newUpload();
  await deliver('user_uploads.ocr_completed', ids);
  expect(await pipeline.readRecord(ids.userUpload)).toEqual({ ...ids, ocrCompletedAt: expect.any(String) });
  expect((await pipeline.queueStates()).filter(({ dead }) => dead > 0)).toEqual([]);
});

test("no log line contains a file name, OCR data, Argyle's answer or its key", async () => {
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
});

async function deliver(event: Parameters<typeof webhookBody>[0], ids: UploadIds): Promise<void> {
  await pipeline.post(webhookBody(event, ids));
  await drainedWithRetries();
}

async function drainedWithRetries(): Promise<void> {
  await until(async () => {
    await retryNow();
    const counts = await Promise.all(eventTypes.map(pipeline.countMessages));
    return counts.every((count) => count === 0);
  });
}

// Makes the postponed messages visible now. Those that were received again meanwhile have another receipt handle.
async function retryNow(): Promise<void> {
  for (const { QueueUrl, Entries } of postponements) {
    const visible = Entries.map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
    await pipeline.sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: visible }));
  }
}
