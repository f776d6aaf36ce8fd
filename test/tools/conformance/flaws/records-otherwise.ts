import { events, eventTypes } from '../../../../functions/domain/events.ts';
import { removalSlot } from '../../../../functions/domain/upload-record.ts';
import { reference } from '../reference.ts';
import type { Flaw } from './flaw.ts';

const { merge } = reference;

/** Receivers whose record depends on order and repeats. */
export const recordsOtherwise: readonly Flaw[] = [
  {
    name: 'lets the last writer win',
    steps: () => ({
      merge: (record, { event, ids }, receivedAt) => ({ ...record, ...ids, [events[event].slot]: receivedAt }),
    }),
    caughtBy: ['changes nothing by a repeat', 'keeps a removal, whatever comes after it'],
  },
  {
    name: 'writes the record anew',
    steps: () => ({ merge: (_, webhook, receivedAt) => merge(undefined, webhook, receivedAt) }),
    caughtBy: [
      'changes nothing by a repeat',
      'keeps one whole record when all comes at once, and repeated',
      'ends in the same record in any order',
      'keeps a removal, whatever comes after it',
    ],
  },
  {
    name: 'waits for the first event',
    steps: () => ({
      merge: (record, webhook, receivedAt) =>
        record || webhook.event === eventTypes[0] ? merge(record, webhook, receivedAt) : undefined,
    }),
    caughtBy: [
      'changes nothing by a repeat',
      'records each event of the catalogue in its slot',
      'ends in the same record in any order',
      'keeps a removal, whatever comes after it',
    ],
  },
  {
    name: 'deletes the record with the document',
    steps: () => ({
      merge: (record, webhook, receivedAt) =>
        events[webhook.event].slot === removalSlot ? undefined : merge(record, webhook, receivedAt),
    }),
    caughtBy: [
      'changes nothing by a repeat',
      'keeps one whole record when all comes at once, and repeated',
      'records each event of the catalogue in its slot',
      'ends in the same record in any order',
      'keeps a removal, whatever comes after it',
    ],
  },
  {
    name: 'brings a removed document back',
    steps: () => ({
      merge: (record, webhook, receivedAt) => {
        const { [removalSlot]: _, ...rest } = record ?? {};
        return merge(events[webhook.event].slot === removalSlot ? record : rest, webhook, receivedAt);
      },
    }),
    caughtBy: [
      'changes nothing by a repeat',
      'keeps one whole record when all comes at once, and repeated',
      'ends in the same record in any order',
      'keeps a removal, whatever comes after it',
    ],
  },
  {
    name: 'takes the user for the account',
    steps: () => ({
      merge: (record, { event, ids }, receivedAt) =>
        merge(record, { event, ids: { ...ids, account: ids.user } }, receivedAt),
    }),
    caughtBy: ['records each event of the catalogue in its slot'],
  },
];
