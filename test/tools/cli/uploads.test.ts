import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { type ConnectedPipeline, startConnectedPipeline, until } from '../../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../../support/fakes/argyle-sender.ts';
import { run, runJson } from './run.ts';

const added = 'user_uploads.added';
const removed = 'user_uploads.removed';

let pipeline: ConnectedPipeline;
beforeAll(async () => {
  pipeline = await startConnectedPipeline();
  vi.stubEnv('PORT', new URL(pipeline.webhookUrl).port);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await pipeline.stop();
});

test('a reader that closes the pipe early ends a command without a stack trace', async () => {
  const child = start('--help');
  child.stdout?.destroy();
  if (!child.stderr) throw new Error('The child has no output.');
  const [error, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect({ error, code }).toEqual({ error: '', code: 0 });
});

test.each([
  ['Region is missing', { AWS_REGION: undefined, AWS_PROFILE: undefined }],
  [
    'Could not load credentials',
    { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: undefined, AWS_EC2_METADATA_DISABLED: 'true' },
  ],
])('without AWS settings, a command explains what to set: %s', async (reason, variables) => {
  // No files of this machine.
  const files = { AWS_CONFIG_FILE: '/nowhere', AWS_SHARED_CREDENTIALS_FILE: '/nowhere' };
  for (const [name, value] of Object.entries({ ...files, ...variables })) vi.stubEnv(name, value);
  const { code, err } = await run('status');
  vi.unstubAllEnvs();
  vi.stubEnv('PORT', new URL(pipeline.webhookUrl).port);
  expect(code).toBe(2);
  expect(err).toMatch(new RegExp(`^${reason}.* use --local for the local pipeline\\.\n$`));
});

test('status prints the last webhook, and exits with 1 when there are dead letters', async () => {
  const unused = await run('--local status');
  const beforeMs = Date.now();
  await pipeline.post(webhookBody(added, newUpload()));
  await until(async () => (await runJson('--local status')).lastWebhookAt !== undefined);
  const { queues, lastWebhookAt } = await runJson('--local status');
  await poison(removed, 'not JSON');
  const poisoned = await ended(start('--local status'));
  await emptyDeadLetters(removed);

  expect(unused).toMatchObject({ code: 0, out: expect.stringContaining('last webhook: none since npm start') });
  expect(queues.map(({ event }: { event: string }) => event)).toEqual(eventTypes);
  expect(Date.parse(lastWebhookAt)).toBeGreaterThanOrEqual(beforeMs);
  expect(poisoned.code).toBe(1);
  expect(poisoned.out).toContain(`1 dead letters: npm run uploads -- --local --port ${process.env.PORT} dead list`);
  expect(poisoned.out).not.toContain('\u001b');
});

test("get prints a record, and list prints a user's or an account's records by status", async () => {
  const ids = newUpload();
  await pipeline.post(webhookBody(added, ids));
  await pipeline.post(webhookBody(added, { ...newUpload(), user: ids.user }));
  await pipeline.post(webhookBody(removed, { ...newUpload(), account: ids.account }));
  const byHand = { userUpload: newUpload().userUpload, account: newUpload().account, user: ids.user };
  const texts = Object.fromEntries(Object.entries(byHand).map(([name, S]) => [name, { S }]));
  await pipeline.writeRecord({ ...texts, expiresAt: { N: '1e100' } });
  await pipeline.drained();

  const record = await runJson(`--local get ${ids.userUpload.toUpperCase()}`);
  const ofUser = await runJson(`--local list --user ${ids.user}`);
  const removedOfAccount = await runJson(`--local list --account ${ids.account.toUpperCase()} --status removed`);
  const missing = await run(`--local get ${newUpload().userUpload}`);

  expect(record).toMatchObject({ ...ids, status: 'added' });
  expect(ofUser).toHaveLength(3);
  expect(ofUser).toContainEqual({ ...byHand, expiresAt: 1e100, status: 'pending' });
  expect(removedOfAccount).toMatchObject([{ account: ids.account, status: 'removed' }]);
  expect(missing.code).toBe(1);
});

test('send signs events with the secret of the target, or with WEBHOOK_SECRET', async () => {
  const { userUpload } = newUpload();
  const sent = await run(`--local send ${added} --upload ${userUpload.toUpperCase()}`);
  const withoutSecret = await run(`send ${added} --url ${pipeline.webhookUrl}`);
  vi.stubEnv('WEBHOOK_SECRET', 'wrong');
  const refused = await run(`--local send ${added} --count 2`);
  vi.stubEnv('WEBHOOK_SECRET', 'secret-of-the-test');
  const toUrl = await run(`send ${added} --url ${pipeline.webhookUrl}`);
  vi.stubEnv('WEBHOOK_SECRET', undefined);
  await pipeline.drained();

  expect(sent).toMatchObject({ code: 0, out: `1 × ${added}: 200 accepted\n` });
  expect(await pipeline.readRecord(userUpload)).toHaveProperty('addedAt');
  expect(withoutSecret.code).toBe(2);
  expect(refused).toMatchObject({ code: 1, out: `2 × ${added}: 401 bad_signature\n` });
  expect(toUrl).toMatchObject({ code: 0, out: `1 × ${added}: 200 accepted\n` });
});

test('dead show counts the reasons of dead letters, and prints their bodies only with --bodies', async () => {
  await poison(removed, 'canary-of-a-body');
  await poison(removed, webhookBody(added, newUpload()));

  const counted = await run(`--local --json dead show ${removed}`);
  const shown = await run(`--local dead show ${removed} --bodies`);
  const listed = await run('--local --json dead list');
  await emptyDeadLetters(removed);

  expect(JSON.parse(counted.out).reasons).toEqual({ unreadable: 1, wrong_event: 1 });
  expect(counted.out).not.toContain('canary');
  expect(shown.out).toContain('canary-of-a-body');
  expect(listed.code).toBe(1);
  expect(JSON.parse(listed.out)).toContainEqual({ event: removed, dead: 2, beingRead: 0 });
});

test('redrive moves dead letters once it is confirmed, and loses none when it is interrupted', async () => {
  const uploads = Array.from({ length: 6 }, newUpload);
  const { deadLetterUrl } = pipeline.queueOf(added);
  for (const ids of uploads) await pipeline.putOn(deadLetterUrl, webhookBody(added, ids), attributesOf(added));

  const unconfirmed = await run(`--local redrive ${added}`);
  const refused = await runJson(`--local redrive ${added}`, 'n');
  const dry = await runJson(`--local redrive ${added} --dry-run`);
  const child = start(`--local --json redrive ${added} --yes --rate 1`);
  await until(
    async () => (await pipeline.readRecord(uploads[0]?.userUpload ?? '')) !== undefined || (await dead(added)) < 6,
  );
  child.kill('SIGINT');
  const interrupted = JSON.parse((await ended(child)).out);
  const left = await dead(added);
  const rest = await run(`--local redrive ${added}`, 'y');
  await pipeline.drained();
  const records = await Promise.all(uploads.map(({ userUpload }) => pipeline.readRecord(userUpload)));

  expect(unconfirmed.code).toBe(2);
  expect([refused, dry]).toEqual([
    { moved: 0, beingRead: 0 },
    { wouldMove: 6, beingRead: 0 },
  ]);
  expect(interrupted).toMatchObject({ interrupted: true, moved: 6 - left });
  expect(left).toBeGreaterThan(0);
  expect(rest.out).toContain(`${left} moved.`);
  expect(records).not.toContain(undefined);
  expect(await dead(added)).toBe(0);
}, 60_000);

test('redrive moves a dead letter of another event to that event’s queue, and an unreadable one back to its own queue', async () => {
  const ids = newUpload();
  await poison(removed, 'not JSON');
  await poison(removed, webhookBody(added, ids));

  const redriven = await runJson(`--local redrive ${removed} --yes`);
  await until(async () => (await pipeline.readRecord(ids.userUpload)) !== undefined && (await dead(removed)) > 0);
  const { reasons } = await runJson(`--local dead show ${removed}`);
  await emptyDeadLetters(removed);

  expect(redriven).toMatchObject({ moved: 2, left: 0 });
  expect(await pipeline.readRecord(ids.userUpload)).toMatchObject({ ...ids, addedAt: expect.any(String) });
  expect(reasons).toEqual({ unreadable: 1 });
});

test('quarantine release moves the messages that this release can process, and leaves the others', async () => {
  const ids = newUpload();
  const { url } = pipeline.queueOf('quarantine');
  await pipeline.putOn(url, webhookBody(added, ids), attributesOf('unreadable'));
  await pipeline.post('{"event": "accounts.added", "data": {}}');

  const listed = await runJson('--local quarantine list');
  const cut = await run('--local quarantine list --most 1');
  const released = await runJson('--local quarantine release --yes');
  await pipeline.drained();
  const after = await run('--local --json quarantine list');

  expect(listed).toHaveLength(2);
  expect(cut.err).toBe('Only the first 1 messages were read: use --most for more.\n');
  expect(released).toMatchObject({ moved: 1, left: 1 });
  expect(await pipeline.readRecord(ids.userUpload)).toMatchObject(ids);
  expect(after.code).toBe(1);
  expect(JSON.parse(after.out)).toEqual([{ reason: 'unknown_event', event: 'accounts.added', count: 1 }]);
  await pipeline.purge(url);
});

test('discard deletes the messages of one reason once it is confirmed, and no others', async () => {
  const { deadLetterUrl } = pipeline.queueOf(removed);
  const quarantine = pipeline.queueOf('quarantine').url;
  await poison(removed, 'not JSON');
  await poison(removed, webhookBody(added, newUpload()));
  // As if SQS had moved it: without a reason.
  await pipeline.putOn(deadLetterUrl, webhookBody(removed, newUpload()), attributesOf(removed));
  await pipeline.putOn(quarantine, webhookBody(added, newUpload()), attributesOf(added));
  await pipeline.post('{"event": "accounts.added", "data": {}}');
  await pipeline.post(`{"event": "${added}", "data": {}}`);

  const unconfirmed = await run(`--local dead discard ${removed} unreadable`);
  const retryable = await run(`--local dead discard ${removed} not_finished --yes`);
  const discarded = await runJson(`--local dead discard ${removed} unreadable --yes`);
  const { reasons } = await runJson(`--local dead show ${removed}`);
  const quarantined = await runJson('--local quarantine discard unknown_event --yes');
  await emptyDeadLetters(removed);
  await pipeline.purge(quarantine);

  expect([unconfirmed.code, retryable.code]).toEqual([2, 2]);
  expect(discarded).toMatchObject({ discarded: 1, left: 2, notReceived: 0, failed: 0 });
  expect(reasons).toEqual({ not_finished: 1, wrong_event: 1 });
  expect(quarantined).toMatchObject({ discarded: 1, left: 2, notReceived: 0, failed: 0 });
});

test('reconcile starts a reconciliation, which records a document whose webhook was lost', async () => {
  await pipeline.argyle.setFaults({ dropDeliveries: 1 });
  const { userUpload, account } = await pipeline.argyle.uploadDocument();
  await pipeline.argyle.clearFaults();

  expect((await run('--local reconcile')).code).toBe(0);
  await until(async () => (await pipeline.readRecord(userUpload)) !== undefined);

  expect(await pipeline.readRecord(userUpload)).toMatchObject({ userUpload, account, addedAt: expect.any(String) });
});

test('rotate ends when the rotation fails, even if Secrets Manager repeats an earlier rotation', async () => {
  await pipeline.argyle.setFaults({ failures: [{ path: '/v2/webhooks', status: 401 }] });
  const failed = await run('--local rotate --yes');
  const again = await run('--local rotate --yes');
  await pipeline.argyle.clearFaults();

  expect([failed.code, again.code]).toEqual([1, 1]);
  expect(failed.err).toContain('The rotation failed in its step createSecret');
  expect(failed.err).toContain('the old secret stays valid');
  expect(again.err).toContain('Secrets Manager repeats it');
  expect(again.err).toContain('The rotation failed in its step createSecret');
});

test('rotate refuses a key of another workspace and changes nothing, and resubscribe repairs a lost subscription', async () => {
  await run('--local resubscribe --yes');
  const before = await webhooks();
  await pipeline.argyle.setFaults({ otherWorkspace: { uploads: 0, seed: 1 } });
  const refused = await run('--local rotate --yes');
  const asked = await run('--local resubscribe', 'n');
  await pipeline.argyle.clearFaults();
  const unchanged = await webhooks();
  for (const { id } of before) await pipeline.unsubscribeByHand(id);
  const lost = await run('--local rotate --yes');
  const repaired = await runJson('--local resubscribe --yes');
  const repeated = await run('--local resubscribe --yes');

  expect([refused.code, lost.code]).toEqual([1, 1]);
  for (const { err } of [refused, lost]) expect(err).toContain('npm run uploads -- resubscribe');
  expect(asked).toMatchObject({ code: 0, out: expect.stringContaining('Nothing was changed.') });
  expect(asked.err).toContain('Nothing can prove that it is the right workspace');
  expect(unchanged).toEqual(before);
  expect(repaired).toEqual({ subscribed: true, changes: 1 });
  expect(repeated).toMatchObject({ code: 0, out: expect.stringContaining('Nothing was changed.') });
  expect(await webhooks()).toMatchObject([{ url: pipeline.webhookUrl, name: before[0]?.name }]);
});

test('resubscribe exits with 1 and the reason when Argyle refuses', async () => {
  await pipeline.argyle.setFaults({ failures: [{ path: '/v2/webhooks', status: 401 }] });
  const { code, err } = await run('--local resubscribe --yes');
  await pipeline.argyle.clearFaults();

  expect(code).toBe(1);
  expect(err).toContain('put a valid key into the secret');
});

test('tail prints log lines until Ctrl-C', async () => {
  const child = start('--local tail');
  const lines: string[] = [];
  child.stdout?.on('data', (chunk) => lines.push(String(chunk)));
  await until(async () => {
    await pipeline.post(webhookBody(added, newUpload()));
    return lines.join('').includes('"status":"accepted"');
  });
  child.kill('SIGINT');

  expect(await once(child, 'exit')).toEqual([0, null]);
});

test.each([
  ['--local redrive user_uploads.nothing', 'Allowed choices are user_uploads.added'],
  [`--local send ${added} --upload nothex`, 'Use 8-4-4-4-12 hex digits.'],
  [`--local send ${added} --count 0`, 'Use a whole number above 0.'],
  ['--local get nothex', 'Use 8-4-4-4-12 hex digits.'],
  ['--local list', 'Choose the owner of the documents'],
  ['--local rotate', 'add --yes'],
  ['--local resubscribe', 'add --yes'],
  ['--local --port 1 status', 'No local pipeline answers on port 1'],
  ['nothing', 'unknown command'],
])('%j exits with 2 and one sentence', async (words, sentence) => {
  const { code, err } = await run(words);

  expect(code).toBe(2);
  expect(err).toContain(sentence);
  expect(err).not.toContain('    at ');
});

test('without a terminal, a process that needs a confirmation exits with 2', async () => {
  expect(await ended(start('--local rotate'))).toMatchObject({ code: 2, err: expect.stringContaining('add --yes') });
});

async function webhooks() {
  return (await pipeline.argyle.state()).webhooks;
}

function start(words: string): ChildProcess {
  return spawn(process.execPath, ['tools/cli/uploads.ts', ...words.split(' ')], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function ended(child: ChildProcess) {
  if (!child.stdout || !child.stderr) throw new Error('The child has no output.');
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, out, err };
}

async function dead(event: string): Promise<number> {
  return (await pipeline.queueStates()).find((queue) => queue.event === event)?.dead ?? 0;
}

async function poison(event: string, body: string): Promise<void> {
  const before = await dead(event);
  await pipeline.putOnQueue(event, body, attributesOf(event));
  await until(async () => (await dead(event)) > before);
}

async function emptyDeadLetters(event: string): Promise<void> {
  await pipeline.purge(pipeline.queueOf(event).deadLetterUrl);
}

function attributesOf(event: string): Record<string, string> {
  return { event, receivedAt: new Date().toISOString(), deliveryId: 'by-hand' };
}
