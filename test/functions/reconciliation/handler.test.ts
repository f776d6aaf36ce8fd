import { describe, expect, test } from 'vitest';
import type { ReconcileAnswer } from '../../../functions/reconciliation/handler.ts';
import { newRun } from '../../../functions/reconciliation/run.ts';
import { sample } from '../../support/builders/builders.ts';
import { openForEachTest, type Reconciliation } from '../../support/builders/reconciliation.ts';

let it: Reconciliation;
openForEachTest((opened) => {
  it = opened;
});

describe('an upload whose record is missing or behind', () => {
  test('is sent to the queues of its events, as received now and found by reconciliation', async () => {
    const { userUpload, account } = await it.control.uploadDocument();
    await it.control.runOcr(userUpload, { result: 'success' });

    const answer = await it.invoke({}, { awsRequestId: 'request' });

    expect(answer).toMatchObject({ status: 'done', run: 'request', counts: { checked: 1, missing: 1, behind: 0 } });
    const events = ['user_uploads.added', 'user_uploads.ocr_completed'];
    expect(it.sent.map(({ queueUrl }) => queueUrl)).toEqual(events.map((event) => `queue of ${event}`));
    expect(it.sent[0]?.message).toEqual({
      body: JSON.stringify(
        { event: events[0], name: 'reconciliation', data: { account, user_upload: userUpload } },
        undefined,
        2,
      ),
      attributes: {
        event: events[0],
        receivedAt: expect.stringMatching(/^2026-12-01T10:00:00\.\d{3}Z$/),
        deliveryId: 'reconciliation-request',
        origin: 'reconciliation',
      },
    });
  });

  test('is recorded, so that a second run finds nothing', async () => {
    await it.control.seedUploads(5, 7);
    await it.invoke();
    await it.applySent();
    it.passHours(24);

    const answer = await it.invoke();

    expect(answer).toMatchObject({ counts: { checked: 5, missing: 0, behind: 0, gone: 0, records: 5 } });
    expect(it.sent).toEqual([]);
  });

  test('is sent again after a change: another slot, or a newer document', async () => {
    const [one, other] = [await it.control.uploadDocument(), await it.control.uploadDocument()];
    await it.invoke();
    await it.applySent();
    await it.control.runOcr(one.userUpload, { result: 'failure' });
    await it.control.changeUpload(other.userUpload, { updated_at: '2027-01-01T00:00:00+02:00' });

    const answer = await it.invoke();

    expect(answer).toMatchObject({ counts: { checked: 2, missing: 0, behind: 2 } });
    expect(it.sent.map(({ queueUrl }) => queueUrl).sort()).toEqual([
      'queue of user_uploads.added',
      'queue of user_uploads.ocr_failed',
    ]);
    await it.applySent();
    expect((await it.read(other.userUpload))?.document?.M?.updatedAt).toEqual({ S: '2026-12-31T22:00:00.000Z' });
    expect(await it.invoke()).toMatchObject({ counts: { behind: 0 } });
  });

  test('has no user until a webhook names one, and then keeps it', async () => {
    const { userUpload, account, user } = await it.control.uploadDocument();
    await it.invoke();
    await it.applySent();
    expect(await it.read(userUpload)).not.toHaveProperty('user');

    const webhook = { event: sample.event, account, user, userUpload };
    await it.applyEvent(webhook, new Date(it.nowMs() + 1).toISOString(), { mayCreate: true });
    expect((await it.read(userUpload))?.user).toEqual({ S: user });

    await it.control.runOcr(userUpload, { result: 'success' });
    await it.invoke();
    expect(it.sent.map(({ message }) => JSON.parse(message.body).data.user)).toEqual([user]);
  });

  test('is only counted when its record is a tombstone', async () => {
    const { userUpload } = await it.control.uploadDocument();
    const tombstone = { userUpload: { S: userUpload }, removedAt: { S: '2026-11-01T00:00:00.000Z' } };
    await it.seed(tombstone);

    expect(await it.invoke()).toMatchObject({ counts: { checked: 1, tombstonesListed: 1, missing: 0, behind: 0 } });
    expect(it.sent).toEqual([]);
    expect(it.errors).toMatchObject([{ code: 'tombstones_listed', fields: { uploads: 1, userUploads: userUpload } }]);
    expect(await it.read(userUpload)).toEqual(tombstone);
  });

  test('is not counted when it was removed while the run read the list', async () => {
    const { userUpload } = await it.control.uploadDocument();
    await it.seed({ userUpload: { S: userUpload }, removedAt: { S: new Date(it.nowMs()).toISOString() } });
    expect(await it.invoke()).toMatchObject({ counts: { checked: 1, tombstonesListed: 0 } });
    expect(it.errors).toEqual([]);
  });
});

describe('requests to Argyle', () => {
  test('and events that make workers send requests are at most 40 a second in total', async () => {
    await it.control.seedUploads(200, 3);
    const startedMs = it.nowMs();
    await it.invoke();
    // The list of webhooks and one page of uploads.
    const paced = it.sent.length + 2;
    expect(paced).toBeGreaterThan(300);
    expect((it.nowMs() - startedMs) / 1_000).toBeLessThan(paced / 30);
    expect((it.nowMs() - startedMs) / 1_000).toBeGreaterThanOrEqual((paced - 1) / 40);
  });

  test('are retried after 429 with and without Retry-After, 500, and no answer', async () => {
    await it.control.seedUploads(201, 5);
    const path = '/v2/user-uploads';
    await it.control.setFaults({
      failures: [
        { path, status: 429, retryAfter: 3, times: 2 },
        { path, status: 429, times: 1 },
        { path, status: 500, times: 2 },
        { path, status: 'disconnect', times: 1 },
      ],
    });
    expect(await it.invoke()).toMatchObject({ status: 'done', counts: { checked: 201, missing: 201 } });
    expect(it.measured.at(-1)?.metrics).toMatchObject({ Checked: 201, Missing: 201, ArgyleRequests: 9 });
  });
});

describe('a run that needs more than one invocation', () => {
  test('continues where it stopped, with the same result as in a single invocation', async () => {
    await it.control.seedUploads(401, 11);
    await it.invoke();
    const sentAtOnce = it.sent.splice(0).map(({ message }) => message.body);

    const answers = await it.invokeStepByStep();

    // Three pages of the list and one empty page of records, each in its own invocation.
    expect(answers.map(({ status }) => status)).toEqual(['continues', 'continues', 'continues', 'done']);
    expect(answers.at(-1)).toMatchObject({ counts: { checked: 401, missing: 401 } });
    expect(it.sent.map(({ message }) => message.body)).toEqual(sentAtOnce);
    const checked = it.measured.slice(1).map(({ metrics }) => metrics.Checked);
    expect(checked).toEqual([200, 200, 1, 0]);
    // Only the invocation that completes the run counts it.
    expect(it.measured.map(({ metrics }) => metrics.RunsCompleted)).toEqual([1, 0, 0, 0, 1]);
  });

  test('is continued by the next schedule from its last saved page when an invocation fails', async () => {
    await it.control.seedUploads(201, 12);
    await it.invoke({}, { workMs: 0 });
    await it.control.setFaults({ failures: [{ path: '/v2/user-uploads', status: 503 }] });
    await expect(it.invoke(it.continued.at(-1))).rejects.toThrow('http_503');
    await it.control.clearFaults();
    it.passHours(24);

    const answer = await it.invoke();

    expect(answer).toMatchObject({ status: 'done', counts: { checked: 201, missing: 201 } });
    expect(it.measured.at(-1)?.metrics).toMatchObject({ Checked: 1 });
  });

  test('fails when Argyle asks for a longer delay than the time left and there is no progress to save', async () => {
    await it.control.seedUploads(1, 13);
    await it.control.setFaults({
      failures: [{ path: '/v2/user-uploads', status: 429, retryAfter: 3_600, times: 1 }],
    });
    await expect(it.invoke()).rejects.toThrow('no time left');
    expect(it.continued).toEqual([]);
    expect(await it.invoke()).toMatchObject({ status: 'done', counts: { checked: 1 } });
  });

  test.each([
    [59, 'continues'],
    [61, 'done'],
  ])(
    'begins no new step when its invocation has less than a minute left: with %i s it is %s',
    async (seconds, status) => {
      await it.control.seedUploads(1, 20);
      expect(await it.invoke({}, { remainingMs: seconds * 1_000 })).toMatchObject({ status });
    },
  );

  test('fails with an alarm when it is over three days old and its next invocation starts', async () => {
    await it.control.seedUploads(201, 21);
    await it.invoke({}, { workMs: 0 });
    it.passHours(73);
    await expect(it.invoke(it.continued.at(-1))).rejects.toThrow('has not ended within three days');
    expect(it.errors).toMatchObject([{ code: 'reconciliation_failed' }]);
  });

  test('fails after the maximum of parts, and the next run starts again', async () => {
    const stuck = { ...newRun('stuck', it.nowMs(), undefined), parts: 309 };
    await it.state.acquire('test', it.nowMs(), it.nowMs());
    await it.state.save('test', stuck, undefined);
    await it.state.release('test');
    await expect(it.invoke({ continueRun: 'stuck' })).rejects.toThrow('309 parts');
    expect(runOf(await it.invoke())).not.toBe('stuck');
  });

  test('is replaced by a new run when it is over three days old', async () => {
    await it.control.seedUploads(201, 14);
    const first = await it.invoke({}, { workMs: 0 });
    it.passHours(73);
    const second = await it.invoke();
    expect(runOf(second)).not.toBe(runOf(first));
    expect(second).toMatchObject({ status: 'done', counts: { checked: 201 } });
  });

  test('is not continued by an invocation for another run, or after its end', async () => {
    await it.control.seedUploads(1, 15);
    expect(await it.invoke({ continueRun: 'unknown' })).toEqual({ status: 'nothing_to_continue' });
    const answer = await it.invoke();
    expect(await it.invoke({ continueRun: runOf(answer) })).toEqual({ status: 'nothing_to_continue' });
  });

  test('makes a second invocation return busy, and is not affected by it', async () => {
    await it.control.seedUploads(1, 16);
    const { reached, release } = it.holdSending();
    const first = it.invoke();
    await reached;
    expect(await it.invoke()).toEqual({ status: 'busy' });
    expect(await it.invoke({ confirmRemovals: 5 })).toEqual({ status: 'busy' });
    release();
    expect(await first).toMatchObject({ status: 'done', counts: { missing: 1 } });
  });

  test('is taken over after the time-out of its invocation, which then cannot save any more', async () => {
    await it.control.seedUploads(201, 18);
    const stalling = it.holdSending();
    const stalled = it.invoke({}, { workMs: 0 });
    await stalling.reached;
    it.passHours(1);
    it.holdSending().release();
    expect(await it.invoke()).toMatchObject({ status: 'done', counts: { checked: 201 } });
    stalling.release();
    await expect(stalled).rejects.toThrow('Another invocation');
  });

  test('is continued at once when Lambda retries an invocation that crashed', async () => {
    await it.control.seedUploads(201, 19);
    const crashing = it.holdSending();
    const crashed = it.invoke({}, { awsRequestId: 'same' });
    await crashing.reached;
    it.holdSending().release();
    expect(await it.invoke({}, { awsRequestId: 'same' })).toMatchObject({ status: 'done', counts: { checked: 201 } });
    crashing.release();
    await Promise.allSettled([crashed]);
  });
});

test('an entry with errors nested 100,000 levels deep and an impossible score is compared and fetched like the others', async () => {
  const { userUpload, account } = sample;
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const metadata = `{"ocr_data": {"error": {"at": ${deep}}}, "ocr_authenticity_score": 1e21}`;
  const hostile = `{"id": "${userUpload}", "account": "${account}", "metadata": ${metadata}}`;
  const plain = JSON.stringify({ id: '00000000-0000-0000-0000-00000000000a', account });
  await it.control.setFaults({
    failures: [
      { path: '/v2/user-uploads?', status: 200, body: `{"results": [${hostile}, ${plain}], "next": null}` },
      { path: '/v2/user-uploads/', status: 200, body: hostile },
    ],
  });
  expect(await it.invoke()).toMatchObject({ status: 'done', counts: { checked: 2, missing: 2, unreadable: 0 } });
  await it.applySent();
  const record = await it.read(userUpload);
  expect(record).toMatchObject({ addedAt: {}, ocrFailedAt: {}, document: { M: { ocrErrors: { L: [{}] } } } });
  expect(record?.document?.M).not.toHaveProperty('authenticityScore');
});

describe('a list that cannot be read to its end', () => {
  test('fails the run for a wrong key with an error that names the secret, and removes nothing', async () => {
    await oldRecords(5);
    it.credentials.current = { apiKeyId: 'id', apiKeySecret: 'wrong' };
    await expect(it.invoke()).rejects.toThrow('put a valid key into the secret argyle/api-key.');
    expect(it.measured.at(-1)?.metrics.RunsCompleted).toBe(0);
    expect(it.errors).toMatchObject([{ code: 'reconciliation_failed', error: { code: 'http_401' } }]);
    expect(it.sent).toEqual([]);
    expect(it.measured.at(-1)?.metrics).toMatchObject({ Checked: 0, ArgyleRequests: 1 });
  });

  test('fails the run, and the next one starts with the first page', async () => {
    await it.control.seedUploads(201, 17);
    await oldRecords(5);
    await it.invoke({}, { workMs: 0 });
    await it.control.setFaults({ failures: [{ path: '/v2/user-uploads', status: 400 }] });
    await expect(it.invoke()).rejects.toThrow('http_400');
    await it.control.clearFaults();
    expect(await it.invoke()).toMatchObject({ counts: { checked: 201 } });
    expect(it.measured.at(-1)?.metrics).toMatchObject({ Checked: 201 });
  });

  test('because it leads back to an earlier page fails the run, after few requests', async () => {
    await it.control.seedUploads(1, 22);
    const next = `${it.argyleUrl}/user-uploads?cursor=1`;
    const body = JSON.stringify({ results: [], next });
    await it.control.setFaults({ failures: [{ path: '/v2/user-uploads', status: 200, body }] });
    await expect(it.invoke()).rejects.toThrow('names an earlier page as the next one.');
    expect(it.errors).toMatchObject([{ code: 'reconciliation_failed' }]);
    expect(it.measured.at(-1)?.metrics.ArgyleRequests).toBeLessThan(5);
  });

  test('because of an entry without ids fails the run at its end, after the other entries were compared', async () => {
    await oldRecords(5);
    const known = '00000000-0000-0000-0000-00000000000a';
    const results = [{ id: 'x' }, { id: known }, { id: sample.userUpload, account: sample.account }];
    const body = JSON.stringify({ results, next: null });
    await it.control.setFaults({ failures: [{ path: '/v2/user-uploads', status: 200, body }] });
    await expect(it.invoke()).rejects.toThrow('2 entries');
    expect(it.sent).toHaveLength(1);
    expect(it.measured.at(-1)?.metrics).toMatchObject({ Checked: 1, Missing: 1 });
    const fields = { uploads: 2, userUploads: `invalid ${known}` };
    expect(it.errors).toMatchObject([{ code: 'uploads_unreadable', fields }, { code: 'reconciliation_failed' }]);
  });
});

test('a confirmation that is not a whole number is refused', async () => {
  for (const confirmRemovals of [-1, 1.5, '5', null, true])
    await expect(it.invoke({ confirmRemovals })).rejects.toThrow('This value of confirmRemovals is not allowed');
});

function runOf(answer: ReconcileAnswer): string | undefined {
  return 'run' in answer ? answer.run : undefined;
}

async function oldRecords(count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, n) => `00000000-0000-0000-0000-${String(n).padStart(12, '0')}`);
  const facts = { account: { S: sample.account }, addedAt: { S: '2026-10-01T00:00:00.000Z' } };
  await it.seedAll(ids.map((userUpload) => ({ userUpload: { S: userUpload }, ...facts })));
}
