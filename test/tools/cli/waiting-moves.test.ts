import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { countMessages } from '../../../tools/messages/dead-messages.ts';
import { type ServedQueues, serveQueues } from './served-queues.ts';

const added = 'user_uploads.added';
const refused = { kind: 'refuse', statusCode: 400 } as const;

let it: ServedQueues;
beforeEach(async () => {
  it = await serveQueues();
});
afterEach(() => it.close());

describe('redrive', () => {
  test('keeps the messages that SQS does not accept, prints the error and exits with 1', async () => {
    await it.putDead(added, 2);
    it.onCall((action) => (action === 'SendMessage' ? { ...refused, errorType: 'AccessDenied' } : undefined));

    const { code, out } = await it.run(`redrive ${added} --yes`);

    expect({ code, out }).toEqual({ code: 1, out: '0 moved. 2 stayed. 2 could not be moved: disturbed\n' });
    expect(await countMessages(it.sqs, it.deadUrl(added))).toEqual({ visible: 2, inFlight: 0 });
  });

  test('that is killed between sending and deleting loses nothing', async () => {
    await it.putDead(added, 1);
    const child = it.start(`redrive ${added} --yes`);
    it.onCall((action) => {
      if (action !== 'DeleteMessage') return undefined;
      child.kill('SIGKILL');
      return { kind: 'drop' };
    });
    await once(child, 'exit');

    expect([await it.total(it.queueUrl(added)), await it.total(it.deadUrl(added))]).toEqual([1, 1]);
  });

  test.each([
    ['', 0],
    ['n', 0],
    ['yesterday', 0],
    ['y', 1],
    [' YES ', 1],
  ])('after the answer %j moves %i of 1 messages', async (answer, moved) => {
    await it.putDead(added, 1);

    await it.run(`redrive ${added}`, answer);

    expect([await it.total(it.queueUrl(added)), await it.total(it.deadUrl(added))]).toEqual([moved, 1 - moved]);
  });

  test('moves only as many messages as it announced', async () => {
    await it.putDead(added, 2);
    const answer = async () => {
      await it.putDead(added, 1);
      return 'y';
    };

    expect((await it.run(`redrive ${added}`, answer)).out).toContain('2 moved. 0 stayed.');
    expect([await it.total(it.queueUrl(added)), await it.total(it.deadUrl(added))]).toEqual([2, 1]);
  });

  test('sends at the rate that the user chose', async () => {
    await it.putDead(added, 3);
    const startedMs = performance.now();

    await it.run(`redrive ${added} --yes --rate 1`);

    // A lower limit: the third message is due after two seconds.
    expect(performance.now() - startedMs).toBeGreaterThan(1_990);
  });

  test('changes nothing in a dry run, even with --yes', async () => {
    await it.putDead(added, 2);

    expect((await it.run(`redrive ${added} --yes --dry-run`)).out).toContain('nothing was moved');
    expect(await it.total(it.deadUrl(added))).toBe(2);
  });
});

describe('discard', () => {
  const discard = async (answer?: () => Promise<string>) => {
    const { code, out } = await it.run(`--json dead discard ${added} unreadable${answer ? '' : ' --yes'}`, answer);
    return { code, ...JSON.parse(out) };
  };

  test('holds no message while it asks, so a late answer deletes what it says', async () => {
    for (let number = 0; number < 12; number += 1)
      await it.put(it.deadUrl(added), 'not JSON', { reason: 'unreadable' });
    const counts: object[] = [];
    const answer = async () => {
      counts.push(await countMessages(it.sqs, it.deadUrl(added)));
      return 'y';
    };

    expect(await discard(answer)).toMatchObject({ code: 0, discarded: 12, left: 0, notReceived: 0 });
    expect(counts).toEqual([{ visible: 12, inFlight: 0 }]);
    expect(await it.total(it.deadUrl(added))).toBe(0);
  });

  test('deletes only the messages that the user was asked about, and counts those that another reader took', async () => {
    await it.put(it.deadUrl(added), 'not JSON', { reason: 'unreadable' });
    await it.put(it.deadUrl(added), 'not JSON', { reason: 'unreadable' });
    const answer = async () => {
      await it.hold(it.deadUrl(added), 60, 1);
      await it.put(it.deadUrl(added), 'later', {});
      return 'y';
    };

    expect(await discard(answer)).toMatchObject({ code: 0, discarded: 1, left: 0, notReceived: 1 });
    expect(await it.total(it.deadUrl(added))).toBe(2);
  });

  test('counts no message that SQS did not delete, prints the error and exits with 1', async () => {
    await it.put(it.deadUrl(added), 'not JSON', { reason: 'unreadable' });
    it.onCall((action) => (action === 'DeleteMessageBatch' ? { ...refused, errorType: 'AccessDenied' } : undefined));

    const { code, out } = await it.run(`dead discard ${added} unreadable --yes`);

    expect({ code, out }).toEqual({ code: 1, out: '0 deleted. 1 stayed. SQS did not delete 1 of them: disturbed\n' });
    expect(await countMessages(it.sqs, it.deadUrl(added))).toEqual({ visible: 1, inFlight: 0 });
  });

  test.each([[`dead discard ${added} not_finished --yes`], ['quarantine discard understood_by_now --yes']])(
    '%s is refused, because the messages can still be applied',
    async (words) => {
      const { code, err } = await it.run(words);

      expect(code).toBe(2);
      expect(err).toContain('Allowed choices are');
    },
  );

  test('reads and deletes at most as many messages as --most', async () => {
    for (let number = 0; number < 12; number += 1)
      await it.put(it.deadUrl(added), 'not JSON', { reason: 'unreadable' });

    const { out } = await it.run(`--json dead discard ${added} unreadable --yes --most 11`);

    expect(JSON.parse(out)).toMatchObject({ discarded: 11, left: 0 });
    expect(await it.total(it.deadUrl(added))).toBe(1);
  });
});
