import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RecordChange } from '../../functions/record-changes/record-change.ts';
import type { BusEvent } from '../../tools/local/change-feed.ts';
import { resolve } from '../../tools/local/template.ts';
import { type ConnectedPipeline, startConnectedPipeline, until } from '../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../support/fakes/argyle-sender.ts';

type ChangeEvent = Omit<BusEvent, 'detail'> & { readonly detail: RecordChange };

let pipeline: ConnectedPipeline;
beforeAll(async () => {
  pipeline = await startConnectedPipeline();
});
afterAll(() => pipeline.stop());

test('each change of a record is published once, in order, with the state before and after', async () => {
  const ids = newUpload();
  for (const event of ['user_uploads.added', 'user_uploads.added', 'user_uploads.ocr_failed'] as const) {
    await pipeline.post(webhookBody(event, ids));
    await pipeline.drained();
  }
  await pipeline.post(webhookBody('user_uploads.removed', ids));
  await until(async () => (await changesOf(ids.userUpload)).length >= 3);

  const changes = await changesOf(ids.userUpload);
  expect(changes.map(({ statusBefore, statusAfter }) => [statusBefore, statusAfter])).toEqual([
    [null, 'added'],
    ['added', 'ocr_failed'],
    ['ocr_failed', 'removed'],
  ]);
  expect(changes[1]?.before).toEqual({ ...ids, addedAt: expect.any(String) });
  expect(changes[1]?.after).toEqual({ ...changes[1]?.before, ocrFailedAt: expect.any(String) });
  expect(changes[2]?.after).toMatchObject({ removedAt: expect.any(String), expiresAt: expect.any(Number) });
  expect(new Set(changes.map(({ id }) => id)).size).toBe(3);
});

test("a document's file name and OCR errors are not published", async () => {
  const { userUpload } = await pipeline.argyle.uploadDocument();
  await pipeline.argyle.runOcr(userUpload, { result: 'failure', error: 'The page of Jane Doe is blurred.' });
  await until(async () =>
    (await changesOf(userUpload)).some(({ after }) => after?.document?.processing.ocr === 'failed'),
  );

  const record = await pipeline.readRecord(userUpload);
  const text = JSON.stringify(await changesOf(userUpload));
  expect(record?.document.ocrErrors).toEqual(['The page of Jane Doe is blurred.']);
  expect(record?.document.fileName).toEqual(expect.any(String));
  expect(text).not.toContain('blurred');
  expect(text).not.toContain(record?.document.fileName);
});

test('an event has the source and the detail type of the template', async () => {
  const ids = newUpload();
  await pipeline.post(webhookBody('user_uploads.added', ids));
  await until(async () => (await changesOf(ids.userUpload)).length > 0);

  const [event] = (await published()).filter(({ detail }) => detail.userUpload === ids.userUpload);
  expect(event).toMatchObject({ source: 'argyle-uploads-receiver', 'detail-type': 'UploadRecordChanged' });
});

test('the bundle marks a change as expired when DynamoDB expired the record (the emulator expires none)', async () => {
  const [pipe] = pipeline.template.ofType('AWS::Pipes::Pipe');
  const name = resolve(pipe?.properties.Enrichment, pipeline.identities).split(':').at(-1) ?? '';
  const userIdentity = { type: 'Service', principalId: 'dynamodb.amazonaws.com' };
  const Keys = { userUpload: { S: 'upload' } };
  const OldImage = { ...Keys, removedAt: { S: '2026-11-24T10:00:00.123Z' } };

  const changes = await pipeline.functions
    .get(name)
    ?.invoke([{ eventID: '1', dynamodb: { Keys, OldImage }, userIdentity }]);

  expect(changes).toMatchObject([
    { id: '1', userUpload: 'upload', expired: true, statusBefore: 'removed', statusAfter: null, after: null },
  ]);
});

async function published(): Promise<readonly ChangeEvent[]> {
  const answer = await (await pipeline.fetchConsole('/console/changes')).json();
  return (answer as { changes: ChangeEvent[] }).changes;
}

// The console returns the newest change first.
async function changesOf(userUpload: string): Promise<readonly RecordChange[]> {
  const changes = (await published()).map(({ detail }) => detail);
  return changes.filter((change) => change.userUpload === userUpload).reverse();
}
