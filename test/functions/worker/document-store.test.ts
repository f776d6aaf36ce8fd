import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventTypes } from '../../../functions/domain/events.ts';
import type { Document } from '../../../functions/domain/user-upload.ts';
import { messageAt, textOf } from '../../support/builders/upload-histories.ts';
import { openUploadTable } from '../../support/emulators/upload-table.ts';

const added = 'user_uploads.added';
const removed = 'user_uploads.removed';

let table: Awaited<ReturnType<typeof openUploadTable>>;
beforeAll(async () => {
  table = await openUploadTable();
  return table.close;
});

describe('a document', () => {
  it('is stored as Argyle returned it, with the time of the fetch', async () => {
    const userUpload = await recordOf(added);
    const document = {
      type: 'W-2',
      fileName: 'w2.pdf',
      processing: { ocr: 'failed' },
      ocrErrors: ['blurred'],
      authenticityScore: 12,
      updatedAt: minute(1),
    };
    expect(await write(userUpload, document, 2)).toBe('written');
    expect((await table.read(userUpload))?.document).toEqual({
      M: {
        type: { S: 'W-2' },
        fileName: { S: 'w2.pdf' },
        processing: { M: { ocr: { S: 'failed' } } },
        ocrErrors: { L: [{ S: 'blurred' }] },
        authenticityScore: { N: '12' },
        updatedAt: { S: minute(1) },
        fetchedAt: { S: minute(2) },
      },
    });
  });

  it.each([
    ['a later update', { updated: 3, fetched: 4 }, 'written'],
    ['a later update that was fetched earlier', { updated: 3, fetched: 1 }, 'written'],
    ['the same update, fetched later', { updated: 2, fetched: 9 }, 'written'],
    ['the same update, fetched earlier', { updated: 2, fetched: 4 }, 'older'],
    ['the same again', { updated: 2, fetched: 5 }, 'older'],
    ['an earlier update that was fetched later', { updated: 1, fetched: 9 }, 'older'],
  ])('is replaced only by a later one: %s', async (_, { updated, fetched }, outcome) => {
    const userUpload = await recordOf(added);
    await write(userUpload, documentOf('first', 2), 5);
    expect(await write(userUpload, documentOf('second', updated), fetched)).toBe(outcome);
    const kept = outcome === 'written' ? 'second' : 'first';
    expect((await table.read(userUpload))?.document?.M?.fileName).toEqual({ S: kept });
  });

  it('is never restored once the record is removed', async () => {
    const userUpload = await recordOf(added);
    await write(userUpload, documentOf('first', 1), 1);
    await table.apply(userUpload, messageAt(removed, 2));
    expect(await write(userUpload, documentOf('second', 9), 9)).toBe('older');
    expect(await table.read(userUpload)).not.toHaveProperty('document');
  });

  it('does not create a record', async () => {
    const userUpload = randomUUID();
    expect(await write(userUpload, documentOf('first', 1), 1)).toBe('older');
    expect(await table.read(userUpload)).toBeUndefined();
  });
});

it('any order of events and fetches produces the same record, byte for byte', async () => {
  const anyEvent = fc.record({ event: fc.constantFrom(...eventTypes), at: fc.nat(9) });
  const anyFetch = fc.record({ updated: fc.nat(3), fetched: fc.nat(59) });
  const history = fc.record({
    events: fc.array(anyEvent, { minLength: 1, maxLength: 5 }),
    fetches: fc.uniqueArray(anyFetch, { maxLength: 5, selector: ({ fetched }) => fetched }),
  });
  const anyOrders = history.chain(({ events, fetches }) => {
    const steps = [...events, ...fetches];
    // As in the worker, a fetch follows the base write of an event.
    const order = fc.shuffledSubarray(steps, { minLength: steps.length });
    return fc.record({ first: fc.constant(events[0]), one: order, other: order });
  });
  await fc.assert(
    fc.asyncProperty(anyOrders, async ({ first, one, other }) => {
      const recordAfter = async (steps: readonly Step[]) => {
        const userUpload = randomUUID();
        for (const step of first ? [first, ...steps] : steps) await take(userUpload, step);
        const { userUpload: _, ...record } = (await table.read(userUpload)) ?? {};
        return textOf(record);
      };
      const [record, otherRecord] = await Promise.all([recordAfter(one), recordAfter(other)]);
      expect(record).toBe(otherRecord);
    }),
    { numRuns: 40 },
  );
});

type Step = { readonly event: (typeof eventTypes)[number]; readonly at: number } | { updated: number; fetched: number };

async function take(userUpload: string, step: Step): Promise<void> {
  if ('event' in step) await table.apply(userUpload, messageAt(step.event, step.at));
  else await write(userUpload, documentOf(`file ${step.fetched}`, step.updated), step.fetched);
}

async function recordOf(event: (typeof eventTypes)[number]): Promise<string> {
  const userUpload = randomUUID();
  await table.apply(userUpload, messageAt(event, 1));
  return userUpload;
}

function write(userUpload: string, document: Document, fetched: number): Promise<string> {
  return table.writeDocument(userUpload, document, minute(fetched), AbortSignal.timeout(10_000));
}

function documentOf(fileName: string, updated: number): Document {
  return { fileName, processing: {}, ocrErrors: [], updatedAt: minute(updated) };
}

function minute(past: number): string {
  return messageAt(added, past).receivedAt;
}
