import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventTypes } from '../../functions/domain/events.ts';
import {
  expectedRecord,
  type Message,
  messageAt,
  ordersOfMultisets,
  sequencesOfRepeats,
  textOf,
} from '../support/upload-histories.ts';
import { openUploadTable, retentionDays } from '../support/upload-table.ts';

let table: Awaited<ReturnType<typeof openUploadTable>>;
beforeAll(async () => {
  table = await openUploadTable();
  return table.close;
});

// Twelve thousand writes: about 20 s on two free cores, several times longer beside other work.
describe('the record of a document is byte for byte the same', { timeout: 300_000 }, () => {
  it('after every order of up to four events, also when the first of them is repeated at the end', async () => {
    const orders = ordersOfMultisets(4);
    expect(orders).toHaveLength(5 + 15 * 2 + 35 * 6 + 70 * 24);
    expect(await recordsThatDiffer(orders.map((order) => [...order, ...order.slice(0, 1)]))).toEqual([]);
  });

  it('after every sequence of up to four events in which equal events are exact repeats', async () => {
    const sequences = sequencesOfRepeats(4);
    expect(sequences).toHaveLength(5 + 25 + 125 + 625);
    expect(await recordsThatDiffer(sequences)).toEqual([]);
  });

  it('after any longer history, in turn or all at once', async () => {
    const anyMessage = fc.record({ event: fc.constantFrom(...eventTypes), minute: fc.nat(9) });
    const anyHistory = fc.array(anyMessage, { minLength: 5, maxLength: 20 });
    const property = fc.asyncProperty(anyHistory, fc.boolean(), async (facts, atOnce) => {
      const userUpload = randomUUID();
      const history = facts.map(({ event, minute }) => messageAt(event, minute));
      if (atOnce) await Promise.all(history.map((message) => deliver(userUpload, message)));
      else for (const message of history) await deliver(userUpload, message);
      expect(textOf(await table.read(userUpload))).toBe(textOf(expectedRecord(userUpload, history, retentionDays)));
    });
    await fc.assert(property, { numRuns: 50 });
  });
});

/** Applies a message; what the store gave up on comes again, as from its queue: how busy the machine is decides nothing. */
async function deliver(userUpload: string, message: Message): Promise<void> {
  try {
    await table.apply(userUpload, message);
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
    await deliver(userUpload, message);
  }
}

/** Applies each history to a document of its own, many at a time, and gives those whose record is another. */
async function recordsThatDiffer(histories: readonly (readonly Message[])[]): Promise<readonly object[]> {
  const tasks = histories.map((history) => ({ userUpload: randomUUID(), history }));
  const waiting = tasks.values();
  const workOff = async () => {
    for (const { userUpload, history } of waiting) for (const message of history) await deliver(userUpload, message);
  };
  await Promise.all(Array.from({ length: 16 }, workOff));
  const records = await table.readAll();
  return tasks.flatMap(({ userUpload, history }) => {
    const actual = textOf(records.get(userUpload));
    const expected = textOf(expectedRecord(userUpload, history, retentionDays));
    return actual === expected ? [] : [{ history, actual, expected }];
  });
}
