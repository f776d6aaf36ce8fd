import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import type { ApplyOutcome } from '../../../functions/worker/upload-store.ts';
import { sample } from '../../support/builders/builders.ts';
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

const otherAccount = 'ffffffff-43b6-8b5d-b32a-56b8fbda5c28';
const otherUser = 'ffffffff-a7a9-a0db-2f38-6cfa325e9d69';

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

describe('a document whose events have different owners', { timeout: 300_000 }, () => {
  const owners: readonly Owner[] = [
    { account: sample.account, user: sample.user },
    { account: sample.account, user: otherUser },
    { account: otherAccount, user: sample.user },
    // As reconciliation creates them.
    { account: sample.account },
    { account: otherAccount },
  ];
  const anyEvent = fc.record({
    event: fc.constantFrom(...eventTypes),
    minute: fc.nat(9),
    owner: fc.constantFrom(...owners),
  });
  const anyHistory = fc.array(anyEvent, { minLength: 2, maxLength: 12 });

  it('keeps its first owner, and has exactly the events of that owner, in sequence or concurrently', async () => {
    const property = fc.asyncProperty(anyHistory, fc.boolean(), async (history, atOnce) => {
      const userUpload = randomUUID();
      const messages = history.map(({ event, minute, owner }) => ({ ...messageAt(event, minute), owner }));
      const outcomes = atOnce
        ? await Promise.all(messages.map((message) => deliver(userUpload, message)))
        : await inSequence(messages, (message) => deliver(userUpload, message));
      const record = (await table.read(userUpload)) ?? {};
      const owner = { account: record.account?.S ?? '', ...(record.user?.S && { user: record.user.S }) };
      const isOwned = messages.map((message) => isOwnedBy(message.owner, owner));
      expect(outcomes.map((kind) => kind !== 'owner_conflict')).toEqual(isOwned);
      const owned = messages.filter((_, index) => isOwned[index]);
      expect(textOf(record)).toBe(textOf(expectedRecord(userUpload, owned, retentionDays, owner)));
      if (!atOnce) expect(owner).toEqual(firstOwner(messages));
    });
    await fc.assert(property, { numRuns: 100 });
  });
});

type Owner = { readonly account: string; readonly user?: string };

// The first event determines the account, and the first event of this account with a user determines the user.
function firstOwner(messages: readonly { readonly owner: Owner }[]): Owner {
  const account = messages[0]?.owner.account ?? '';
  const user = messages.find(({ owner }) => owner.account === account && owner.user)?.owner.user;
  return { account, ...(user && { user }) };
}

function isOwnedBy({ account, user }: Owner, owner: Owner): boolean {
  return account === owner.account && (user === undefined || user === owner.user);
}

async function inSequence<Item, Result>(
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await act(item));
  return results;
}

/** Applies a message, and again after a time-out, as the queue does, so that a busy machine does not fail the test. */
async function deliver(
  userUpload: string,
  message: Message & { readonly owner?: Owner },
): Promise<ApplyOutcome['kind']> {
  const { event, receivedAt, owner = { account: sample.account, user: sample.user } } = message;
  try {
    return (await table.applyEvent({ event, userUpload, ...owner }, receivedAt, { mayCreate: true })).kind;
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
    return deliver(userUpload, message);
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
