import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { reconciliation } from '../../../functions/domain/queue-message.ts';
import { countMessages } from '../../../tools/messages/dead-messages.ts';
import { until } from '../../support/emulators/local-pipeline.ts';
import { newUpload, webhookBody } from '../../support/fakes/argyle-sender.ts';
import { attributesOf, type ServedQueues, serveQueues } from './served-queues.ts';

const added = 'user_uploads.added';

let it: ServedQueues;
beforeEach(async () => {
  it = await serveQueues();
});
afterEach(() => it.close());

describe('while another reader has the messages', () => {
  test('status and dead list count them, and say how many are being read', async () => {
    await it.putDead(added, 3);
    await it.put(it.quarantineUrl, 'not JSON', {});
    await it.hold(it.deadUrl(added), 60, 1);
    await it.hold(it.quarantineUrl, 60);

    const status = await it.run('--json status');
    const shown = await it.run('status');
    const listed = await it.run('dead list');

    expect(status.code).toBe(1);
    expect(JSON.parse(status.out)).toMatchObject({ quarantined: 1, quarantinedBeingRead: 1 });
    expect(JSON.parse(status.out).queues).toContainEqual(
      expect.objectContaining({ event: added, dead: 3, deadBeingRead: 1 }),
    );
    expect(shown.out).toContain('3 dead letters (1 being read): ');
    expect(shown.out).toContain('1 in quarantine (1 being read): ');
    expect(listed.code).toBe(1);
    expect(listed.out).toMatch(/user_uploads\.added +3 +1\n/);
  });

  test.each([
    ['dead show user_uploads.added', 0],
    ['dead discard user_uploads.added unreadable --yes', 0],
    ['redrive user_uploads.added --yes', 0],
    ['redrive user_uploads.added --dry-run', 0],
    ['quarantine list', 1],
    ['quarantine release --yes', 0],
    ['quarantine discard malformed --yes', 0],
  ])('%s says how many they are, and until when the other reader may keep them', async (words, code) => {
    const url = words.startsWith('quarantine') ? it.quarantineUrl : it.deadUrl(added);
    await it.put(url, 'not JSON', {});
    await it.put(url, 'not JSON', {});
    await it.hold(url, 60);
    const beforeMs = Date.now();

    const shown = await it.run(words);

    const [, count, until = ''] =
      /(\d+) messages? .*being read by another reader.* until (\S+Z) at the latest/.exec(shown.out) ?? [];
    expect(shown.code).toBe(code);
    expect(count).toBe('2');
    expect(Date.parse(until) - beforeMs).toBeGreaterThanOrEqual(119_000);
    expect(Date.parse(until) - beforeMs).toBeLessThan(600_000);
    expect(await it.total(url)).toBe(2);
  });

  test('redrive moves the rest and says how many it could not receive', async () => {
    await it.putDead(added, 3);
    await it.hold(it.deadUrl(added), 60, 1);

    const shown = await it.run(`redrive ${added} --yes`);

    expect(shown.out).toContain('2 moved. 0 stayed.');
    expect(shown.out).toMatch(/1 message .*being read by another reader/);
    expect([await it.total(it.queueUrl(added)), await it.total(it.deadUrl(added))]).toEqual([2, 1]);
  });
});

describe('when the time-out of a reader that crashed has passed', () => {
  const prepare = async (url: string, body: string) => {
    await it.put(url, body, attributesOf(added));
    await it.hold(url, 0);
  };

  test('redrive moves the messages, although the counts show none that is visible', async () => {
    await prepare(it.deadUrl(added), webhookBody(added, newUpload()));

    expect(JSON.parse((await it.run(`--json redrive ${added} --yes`)).out)).toMatchObject({ moved: 1, beingRead: 0 });
    expect(await it.total(it.queueUrl(added))).toBe(1);
  });

  test('release moves them too', async () => {
    await prepare(it.quarantineUrl, webhookBody(added, newUpload()));

    expect(JSON.parse((await it.run('--json quarantine release --yes')).out)).toMatchObject({ moved: 1 });
  });
});

test('an interrupted dead show makes all messages visible again at once, and says so', async () => {
  await it.putDead(added, 25);
  const child = it.start(`dead show ${added}`);
  const { deadUrl, sqs } = it;
  await until(async () => (await countMessages(sqs, deadUrl(added))).inFlight > 10);
  child.kill('SIGINT');
  const [err, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);

  expect({ code, err }).toEqual({ code: 1, err: 'Interrupted: all messages are back in their queue.\n' });
  expect(await countMessages(sqs, deadUrl(added))).toEqual({ visible: 25, inFlight: 0 });
});

test('dead show prints the ids of messages of reconciliation, which have no user', async () => {
  const { account, userUpload } = newUpload();
  const body = JSON.stringify({ event: added, data: { account, user_upload: userUpload } });
  await it.put(it.deadUrl(added), body, { ...attributesOf(added), origin: reconciliation });

  const { out } = await it.run(`--json dead show ${added}`);

  expect(JSON.parse(out).letters).toMatchObject([{ reason: 'not_finished', userUpload }]);
});

test('--most above the number of messages that SQS lets one reader have is refused with a sentence', async () => {
  const { code, err } = await it.run(`dead show ${added} --most 100001`);

  expect(code).toBe(2);
  expect(err).toContain('Use at most 100000: SQS does not let more messages be read at once.');
});
