import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import {
  type Arrival,
  expectedRecord,
  type Message,
  messageAt,
  ordersOfMultisets,
  setsOf,
  singleArrivals,
  textOf,
} from '../../support/builders/upload-histories.ts';
import { openUploadTable, retentionDays } from '../../support/emulators/upload-table.ts';

let table: Awaited<ReturnType<typeof openUploadTable>>;
beforeAll(async () => {
  table = await openUploadTable();
  return table.close;
});

// Two thousand writes: several seconds on a free core, many times longer on a busy one.
describe('the record of a document is byte for byte the same', { timeout: 300_000 }, () => {
  // By induction: if every order of some events produces the expected record, and one more event, or a repeated one, turns
  // that record into the next expected one, then every order with that event does too.
  it('after every order of up to four events with any repeats, and of all five events with the same time', async () => {
    const arrivals = singleArrivals([...setsOf(4), eventTypes.map((event) => messageAt(event, 1))]);
    expect(arrivals).toHaveLength(410);
    expect(await recordsThatDiffer(arrivals)).toEqual([]);
  });

  // The same without the induction, which would miss a store that keeps state beside the record.
  it('after every order of up to three events, with the first of them repeated at the end', async () => {
    const orders = ordersOfMultisets(3);
    expect(orders).toHaveLength(5 + 15 * 2 + 35 * 6);
    const histories = orders.map((order) => [...order, ...order.slice(0, 1)]);
    expect(await recordsThatDiffer(histories.map(fromNothing))).toEqual([]);
  });

  it('after any longer history, in sequence or concurrently', async () => {
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

/** Applies a message, and again after a time-out, as the queue does, so that a busy machine does not fail the test. */
async function deliver(userUpload: string, message: Message): Promise<void> {
  try {
    await table.apply(userUpload, message);
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
    await deliver(userUpload, message);
  }
}

function fromNothing(history: readonly Message[]): Arrival {
  return { before: [], history };
}

/** Applies each arrival to its own document, many concurrently, and returns those with an unexpected record. */
async function recordsThatDiffer(arrivals: readonly Arrival[]): Promise<readonly object[]> {
  const tasks = arrivals.map((arrival) => ({ userUpload: randomUUID(), ...arrival }));
  const begun = tasks.filter(({ before }) => before.length > 0);
  await table.seedAll(begun.map(({ userUpload, before }) => expectedRecord(userUpload, before, retentionDays)));
  const waiting = tasks.values();
  const applyWaiting = async () => {
    for (const { userUpload, history } of waiting) for (const message of history) await deliver(userUpload, message);
  };
  await Promise.all(Array.from({ length: 16 }, applyWaiting));
  const records = await table.readAll();
  return tasks.flatMap(({ userUpload, before, history }) => {
    const actual = textOf(records.get(userUpload));
    const expected = textOf(expectedRecord(userUpload, [...before, ...history], retentionDays));
    return actual === expected ? [] : [{ before, history, actual, expected }];
  });
}
