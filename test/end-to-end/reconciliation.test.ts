import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import type { ReconcileAnswer } from '../../functions/reconciliation/handler.ts';
import { seededIds } from '../../tools/fake-argyle/seeded-upload.ts';
import type { KnownUpload } from '../../tools/fake-argyle/user-uploads.ts';
import { type ConnectedPipeline, startConnectedPipeline, until } from '../support/emulators/local-pipeline.ts';
import { createTimeMachine } from '../support/emulators/time-machine.ts';
import { webhookBody } from '../support/fakes/argyle-sender.ts';
import { neededFor, permissionsOf, textOf } from '../support/role-policies.ts';
import { runJson } from '../tools/cli/run.ts';

// The fake Argyle of this file loses every delivery.
let pipeline: ConnectedPipeline;
let time: ReturnType<typeof createTimeMachine>;
beforeAll(async () => {
  pipeline = await startConnectedPipeline();
  await pipeline.argyle.setFaults({ dropDeliveries: 1 });
  time = createTimeMachine(pipeline);
});
afterAll(async () => {
  time.close();
  await pipeline.stop();
});

test('a run adds the events that Argyle could not deliver to the records, but not the user', async () => {
  const [plain, read, failed, checked] = [await upload(), await upload(), await upload(), await upload()];
  await pipeline.argyle.runOcr(read.userUpload, { result: 'success' });
  await pipeline.argyle.runOcr(failed.userUpload, { result: 'failure', error: 'blurred' });
  await pipeline.argyle.runOcr(checked.userUpload, { result: 'authenticity', score: 55 });

  expect(await reconcile()).toMatchObject({ status: 'done', counts: { checked: 4, missing: 4 } });
  await pipeline.drained();

  const { userUpload, account } = plain;
  expect(await pipeline.readRecord(userUpload)).toEqual({
    userUpload,
    account,
    addedAt: expect.any(String),
    document: expect.objectContaining({ type: 'paystubs' }),
  });
  expect(await pipeline.readRecord(read.userUpload)).toHaveProperty('ocrCompletedAt');
  expect(await pipeline.readRecord(failed.userUpload)).toMatchObject({
    ocrFailedAt: expect.any(String),
    document: { ocrErrors: ['blurred'] },
  });
  expect(await pipeline.readRecord(checked.userUpload)).toMatchObject({
    authenticityAt: expect.any(String),
    document: { authenticityScore: 55 },
  });
  expect(await reconcile()).toMatchObject({ counts: { checked: 4, missing: 0, behind: 0 } });
});

test('a later webhook adds the user, although its event is already in the record', async () => {
  const { userUpload, account, user } = await upload();
  await reconcile();
  await pipeline.drained();
  const before = await pipeline.readRecord(userUpload);

  await pipeline.post(webhookBody('user_uploads.added', { userUpload, account, user }));
  await pipeline.drained();

  expect(before).not.toHaveProperty('user');
  expect(await pipeline.readRecord(userUpload)).toMatchObject({ user, addedAt: before?.addedAt });
});

test('a run that has no time left invokes itself and continues', async () => {
  // Most documents have a record: the function sends at most 40 events a second for missing ones.
  const [count, missing] = [220, 10];
  await pipeline.argyle.seedUploads(count, 1);
  await Promise.all(Array.from({ length: count - missing }, (_, number) => writeCompleteRecord(number)));

  const answer = await reconcile({}, 0);
  expect(answer).toMatchObject({ status: 'continues', counts: { checked: 200 } });
  await until(async () => partsOf(answer).some(({ phase }) => phase === 'done'));
  expect(partsOf(answer).map(({ Checked }) => Checked)).toEqual([200, 25]);
  expect(partsOf(answer).reduce((sum, { Missing }) => sum + Number(Missing), 0)).toBe(missing);
  await pipeline.drained();
  expect(await reconcile()).toMatchObject({ counts: { checked: 225, missing: 0, behind: 0 } });
});

test('a lost removal is applied after two runs that are 12 h apart', async () => {
  const lost = await upload();
  await reconcile();
  await pipeline.drained();
  await pipeline.argyle.removeUpload(lost.userUpload);
  await time.passHours(25);
  expect(await reconcile()).toMatchObject({ counts: { candidates: 1, gone: 0 } });
  await time.passHours(12);
  expect(await reconcile()).toMatchObject({ counts: { candidates: 1, gone: 1 } });
  await pipeline.drained();
  const record = await pipeline.readRecord(lost.userUpload);
  expect(record).toHaveProperty('removedAt');
  expect(record).not.toHaveProperty('document');
});

test('records that a run removed by mistake are restored, and the next run fetches their documents again', async () => {
  const uploads = [await upload(), await upload()];
  await reconcile();
  await pipeline.drained();
  // A restored removal that a webhook made would be a mistake.
  const removed = await upload();
  await reconcile();
  await pipeline.post(webhookBody('user_uploads.removed', removed));
  await pipeline.drained();
  const { lost } = await loseUploads(uploads);
  const ids = uploads.map(({ userUpload }) => userUpload);
  const tombstones = await Promise.all(ids.map(pipeline.readRecord));
  expect(await cli('restore')).toContainEqual({ run: lost, from: expect.any(String), records: 2 });
  expect(await cli(`restore ${lost} --dry-run`)).toMatchObject({ wouldRestore: [{ run: lost }, { run: lost }] });
  expect(await cli(`restore ${lost}`, 'n')).toEqual({ restored: 0 });
  expect(await Promise.all(ids.map(pipeline.readRecord))).toEqual(tombstones);

  expect(await cli(`restore ${lost} --yes`)).toEqual({ restored: 2, unchanged: 0 });
  expect(await cli(`restore ${lost} --yes`)).toEqual({ restored: 0 });
  expect(await reconcile()).toMatchObject({ counts: { behind: 2, gone: 0, tombstonesListed: 1 } });
  await pipeline.drained();

  for (const [index, record] of (await Promise.all(ids.map(pipeline.readRecord))).entries()) {
    expect(tombstones[index]).toMatchObject({ removedAt: expect.any(String), expiresAt: expect.any(Number) });
    expect(record).toMatchObject({ addedAt: tombstones[index]?.addedAt, document: { type: 'paystubs' } });
    expect(record).not.toHaveProperty('removedAt');
    expect(record).not.toHaveProperty('expiresAt');
  }
  expect(await pipeline.readRecord(removed.userUpload)).toHaveProperty('removedAt');
});

test('the key of another workspace fails the run, which neither imports its documents nor misses ours', async () => {
  const before = await pipeline.readRecords();
  await pipeline.argyle.setFaults({ otherWorkspace: { uploads: 30, seed: 7 } });
  await expect(reconcile()).rejects.toThrow("does not contain the URL and name of this stack's subscription");
  await pipeline.argyle.setFaults({ dropDeliveries: 1 });
  await pipeline.drained();
  expect(await pipeline.readRecords()).toEqual(before);
});

test('a refused key fails the run with the name of the secret, and no log line contains data of Argyle', async () => {
  await pipeline.argyle.setFaults({ failures: [{ path: '/v2/user-uploads', status: 401, body: 'canary-of-argyle' }] });
  await expect(reconcile()).rejects.toThrow('put a valid key into the secret argyle/api-key.');
  await pipeline.argyle.clearFaults();
  const log = pipeline.logLines.join('\n');
  for (const secret of ['canary-of-argyle', 'secret-of-the-test', 'document.pdf', 'OCR-DATA'])
    expect(log).not.toContain(secret);
});

test('the role of reconciliation allows exactly the calls that the tests above cause', () => {
  const { name } = scheduled().lambda;
  const permissions = permissionsOf(pipeline).filter(({ caller }) => caller === name);
  const needed = new Set(
    pipeline.calls.filter(({ caller }) => caller === name).map((call) => textOf(neededFor(call, pipeline))),
  );
  expect(new Set(permissions.map(textOf))).toEqual(needed);
  expect(permissions.filter(({ action }) => action === 'sqs:SendMessage')).toHaveLength(eventTypes.length);
});

function scheduled() {
  const [schedule, ...others] = pipeline.schedules.values();
  if (!schedule || others.length > 0) throw new Error('Expected one schedule.');
  return schedule;
}

async function reconcile(payload: unknown = scheduled().input, remainingMs?: number): Promise<ReconcileAnswer> {
  return (await scheduled().lambda.invoke(payload, remainingMs)) as ReconcileAnswer;
}

// The metric lines of all parts of a run.
function partsOf(answer: ReconcileAnswer): Record<string, unknown>[] {
  const run = 'run' in answer ? answer.run : '';
  return pipeline.logLines
    .filter((line) => line.includes('"CloudWatchMetrics"') && line.includes(`"runId":"${run}"`))
    .map((line) => JSON.parse(line.slice(line.indexOf('{'))));
}

async function upload(): Promise<KnownUpload> {
  return pipeline.argyle.uploadDocument();
}

// Argyle does not find the uploads, as if they were deleted, during two runs. Returns the second one, which removes their records.
async function loseUploads(uploads: readonly KnownUpload[]): Promise<{ readonly lost: string }> {
  const all = [...(await pipeline.readRecords()).values()].filter(({ status }) => status !== 'removed');
  const lost = new Set(uploads.map(({ userUpload }) => userUpload));
  const listed = all.filter(({ userUpload }) => !lost.has(userUpload));
  const results = listed.map(({ userUpload, account }) => ({ id: userUpload, account }));
  const missing = uploads.map(({ userUpload }) => ({ path: `/v2/user-uploads/${userUpload}`, status: 404 }));
  const list = { path: '/v2/user-uploads?', status: 200, body: JSON.stringify({ results, next: null }) };
  await time.passHours(25);
  await pipeline.argyle.setFaults({ dropDeliveries: 1, failures: [list, ...missing] });
  await reconcile();
  await time.passHours(12);
  const answer = await reconcile();
  await pipeline.drained();
  await pipeline.argyle.setFaults({ dropDeliveries: 1 });
  return { lost: 'run' in answer ? answer.run : '' };
}

// The result of a command of the command line, which runs in this process.
function cli(words: string, answer?: string): Promise<object> {
  return runJson(`--local --port ${new URL(pipeline.webhookUrl).port} ${words}`, answer);
}

// A record that no event can change.
async function writeCompleteRecord(number: number): Promise<void> {
  const { userUpload, account } = seededIds(1, number);
  const S = new Date().toISOString();
  const slots = ['addedAt', 'ocrCompletedAt', 'ocrFailedAt', 'authenticityAt'].map((slot) => [slot, { S }]);
  await pipeline.writeRecord({
    userUpload: { S: userUpload },
    account: { S: account },
    document: { M: { updatedAt: { S } } },
    ...Object.fromEntries(slots),
  });
}
