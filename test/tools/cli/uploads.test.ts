import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import { type ConnectedPipeline, startConnectedPipeline, until } from '../../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../../support/fakes/argyle-sender.ts';

const added = 'user_uploads.added';
const removed = 'user_uploads.removed';

let pipeline: ConnectedPipeline;
beforeAll(async () => {
  pipeline = await startConnectedPipeline();
});
afterAll(() => pipeline.stop());

describe('uploads', () => {
  test('says that all is well, and that a person is needed, by its exit code', async () => {
    const calm = await run('--json', 'status');
    await poison(removed, 'not JSON');
    const troubled = await run('status');
    await emptyDeadLetters(removed);

    expect(calm.code).toBe(0);
    expect(JSON.parse(calm.out).queues.map(({ event }: { event: string }) => event)).toEqual(eventTypes);
    expect(troubled.code).toBe(1);
    expect(troubled.out).toContain('1 dead letters: npx uploads dead list');
    expect(troubled.out).not.toContain('\u001b');
  });

  test("shows a document's record, and lists a user's or an account's by status", async () => {
    const ids = newUpload();
    await pipeline.post(webhookBody(added, ids));
    await pipeline.post(webhookBody(added, { ...newUpload(), user: ids.user }));
    await pipeline.post(webhookBody(removed, { ...newUpload(), account: ids.account }));
    const byHand = { userUpload: newUpload().userUpload, account: newUpload().account, user: ids.user };
    await pipeline.writeRecord({ ...textsOf(byHand), expiresAt: { N: '1e100' } });
    await pipeline.drained();

    const record = await run('--json', 'get', ids.userUpload.toUpperCase());
    const ofUser = await run('--json', 'list', '--user', ids.user);
    const removedOfAccount = await run('--json', 'list', '--account', ids.account, '--status', 'removed');
    const missing = await run('get', newUpload().userUpload);

    expect(JSON.parse(record.out)).toMatchObject({ ...ids, status: 'added' });
    expect(JSON.parse(ofUser.out)).toHaveLength(3);
    expect(JSON.parse(ofUser.out)).toContainEqual({ ...byHand, expiresAt: 1e100, status: 'pending' });
    expect(JSON.parse(removedOfAccount.out)).toMatchObject([{ account: ids.account, status: 'removed' }]);
    expect(missing.code).toBe(1);
  });

  test('sends a signed test event with the secret of the stack', async () => {
    const { userUpload } = newUpload();
    const sent = await run('send', added, '--upload', userUpload);
    await pipeline.drained();

    expect(sent).toMatchObject({ code: 0, out: `1 × ${added}: 200 accepted\n` });
    expect(await pipeline.readRecord(userUpload)).toHaveProperty('addedAt');
  });

  test('says why dead letters are there, by count, and shows no body unless it is asked to', async () => {
    await poison(removed, 'canary-of-a-body');
    await poison(removed, webhookBody(added, newUpload()));

    const counted = await run('--json', 'dead', 'show', removed);
    const shown = await run('dead', 'show', removed, '--bodies');
    const stillThere = await run('--json', 'dead', 'list');
    await emptyDeadLetters(removed);

    expect(JSON.parse(counted.out).reasons).toEqual({ unreadable: 1, wrong_event: 1 });
    expect(counted.out).not.toContain('canary');
    expect(shown.out).toContain('canary-of-a-body');
    expect(JSON.parse(stillThere.out)).toContainEqual({ event: removed, dead: 2 });
  });

  test('puts dead letters back only when it is sure, and loses none when it is interrupted', async () => {
    const uploads = Array.from({ length: 6 }, newUpload);
    const { deadLetterUrl } = pipeline.queueOf(added);
    for (const ids of uploads) await pipeline.putOn(deadLetterUrl, webhookBody(added, ids), attributesOf(added));

    const unsure = await run('redrive', added);
    const dry = await run('--json', 'redrive', added, '--dry-run');
    const child = start('--json', 'redrive', added, '--yes', '--rate', '1');
    await until(
      async () => (await pipeline.readRecord(uploads[0]?.userUpload ?? '')) !== undefined || (await dead(added)) < 6,
    );
    child.kill('SIGINT');
    const interrupted = await ended(child);
    const left = await dead(added);
    const rest = await run('redrive', added, '--yes');
    await pipeline.drained();
    const records = await Promise.all(uploads.map(({ userUpload }) => pipeline.readRecord(userUpload)));

    expect(unsure.code).toBe(2);
    expect(JSON.parse(dry.out)).toEqual({ wouldMove: 6 });
    expect(JSON.parse(interrupted.out)).toMatchObject({ interrupted: true });
    expect(JSON.parse(interrupted.out).moved + left).toBe(6);
    expect(left).toBeGreaterThan(0);
    expect(rest.out).toContain(`${left} moved.`);
    expect(records).not.toContain(undefined);
    expect(await dead(added)).toBe(0);
  }, 60_000);

  test('puts a dead letter of another event on the queue of that event, and what cannot be read where it was', async () => {
    const ids = newUpload();
    await poison(removed, 'not JSON');
    await poison(removed, webhookBody(added, ids));

    const redriven = await run('--json', 'redrive', removed, '--yes');
    await until(async () => (await pipeline.readRecord(ids.userUpload)) !== undefined && (await dead(removed)) > 0);
    const left = await run('--json', 'dead', 'show', removed);
    await emptyDeadLetters(removed);

    expect(JSON.parse(redriven.out)).toMatchObject({ moved: 2, left: 0 });
    expect(await pipeline.readRecord(ids.userUpload)).toMatchObject({ ...ids, addedAt: expect.any(String) });
    expect(JSON.parse(left.out).reasons).toEqual({ unreadable: 1 });
  });

  test('releases from quarantine what is understood by now, and leaves the rest', async () => {
    const ids = newUpload();
    const { url } = pipeline.queueOf('quarantine');
    await pipeline.putOn(url, webhookBody(added, ids), { ...attributesOf('unreadable') });
    await pipeline.post('{"event": "accounts.added", "data": {}}');

    const listed = await run('--json', 'quarantine', 'list');
    const released = await run('--json', 'quarantine', 'release', '--yes');
    await pipeline.drained();
    const after = await run('--json', 'quarantine', 'list');

    expect(JSON.parse(listed.out)).toHaveLength(2);
    expect(JSON.parse(released.out)).toMatchObject({ moved: 1, left: 1 });
    expect(await pipeline.readRecord(ids.userUpload)).toMatchObject(ids);
    expect(JSON.parse(after.out)).toEqual([{ reason: 'unknown_event', event: 'accounts.added', count: 1 }]);
  });

  test('deletes dead letters and quarantined messages of one reason, when it is sure, and no others', async () => {
    const { deadLetterUrl } = pipeline.queueOf(removed);
    const quarantine = pipeline.queueOf('quarantine').url;
    await pipeline.purge(quarantine);
    await poison(removed, 'not JSON');
    await pipeline.putOn(deadLetterUrl, webhookBody(removed, newUpload()), attributesOf(removed));
    await pipeline.putOn(deadLetterUrl, webhookBody(added, newUpload()), attributesOf(added));
    await pipeline.putOn(quarantine, webhookBody(added, newUpload()), attributesOf(added));
    await pipeline.post('{"event": "accounts.added", "data": {}}');
    await pipeline.post(`{"event": "${added}", "data": {}}`);

    const unasked = await run('dead', 'discard', removed, 'unreadable');
    const tooMuch = await run('dead', 'discard', removed, 'failed_16_times', '--yes');
    const dead = await run('--json', 'dead', 'discard', removed, 'unreadable', '--yes');
    const left = await run('--json', 'dead', 'show', removed);
    const quarantined = await run('--json', 'quarantine', 'discard', 'unknown_event', '--yes');
    await emptyDeadLetters(removed);

    expect([unasked.code, tooMuch.code]).toEqual([2, 2]);
    expect(JSON.parse(dead.out)).toEqual({ discarded: 1, left: 2 });
    expect(JSON.parse(left.out).reasons).toEqual({ failed_16_times: 1, wrong_event: 1 });
    expect(JSON.parse(quarantined.out)).toEqual({ discarded: 1, left: 2 });
    await pipeline.purge(quarantine);
  });

  test('starts a reconciliation, which finds what no webhook told of', async () => {
    await pipeline.argyle.setFaults({ dropDeliveries: 1 });
    const { userUpload, account } = await pipeline.argyle.uploadDocument();
    await pipeline.argyle.clearFaults();

    const started = await run('reconcile');
    await until(async () => (await pipeline.readRecord(userUpload)) !== undefined);

    expect(started.code).toBe(0);
    expect(await pipeline.readRecord(userUpload)).toMatchObject({ userUpload, account, addedAt: expect.any(String) });
  });

  test('ends when a rotation fails, and says so also of one that is repeated', async () => {
    await pipeline.argyle.setFaults({ failures: [{ path: '/v2/webhooks', status: 401 }] });
    const failed = await run('rotate', '--yes');
    const again = await run('rotate', '--yes');
    await pipeline.argyle.clearFaults();

    expect([failed.code, again.code]).toEqual([1, 1]);
    expect(failed.err).toContain('The rotation failed in its step setSecret');
    expect(failed.err).toContain('the old secret stays valid');
    expect(again.err).toContain('Secrets Manager repeats that one');
    expect(again.err).toContain('The rotation failed in its step setSecret');
  });

  test('follows the log until Ctrl-C', async () => {
    const child = start('tail');
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
    [['redrive', 'user_uploads.nothing'], 'Use one of user_uploads.added'],
    [['send', added, '--upload', 'nothex'], '--upload nothex is not allowed'],
    [['list'], 'Say whose documents'],
    [['rotate'], 'add --yes'],
    [['--local', '--port', '1', 'status'], 'No local pipeline answers on port 1'],
    [['nothing'], 'unknown command'],
  ])('%j ends with 2 and a sentence', async (words, sentence) => {
    const { code, err } = await run(...words);
    expect(code).toBe(2);
    expect(err).toContain(sentence);
    expect(err).not.toContain('    at ');
  });
});

type Ended = { readonly code: number; readonly out: string; readonly err: string };

function start(...words: readonly string[]): ChildProcess {
  const { port } = new URL(pipeline.webhookUrl);
  const local = words.includes('--local') ? [] : ['--local', '--port', port];
  return spawn(process.execPath, ['tools/cli/uploads.ts', ...local, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function ended(child: ChildProcess): Promise<Ended> {
  if (!child.stdout || !child.stderr) throw new Error('The child has no output.');
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, out, err };
}

async function run(...words: readonly string[]): Promise<Ended> {
  return ended(start(...words));
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

function textsOf(values: Readonly<Record<string, string>>): Record<string, { readonly S: string }> {
  return Object.fromEntries(Object.entries(values).map(([name, S]) => [name, { S }]));
}

function attributesOf(event: string): Record<string, string> {
  return { event, receivedAt: new Date().toISOString(), deliveryId: 'by-hand' };
}
