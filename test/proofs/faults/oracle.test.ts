import { describe, expect, test } from 'vitest';
import { eventsOfLife, newUserUpload } from '../../../tools/fake-argyle/user-upload.ts';
import { newUpload } from '../../support/fakes/argyle-sender.ts';
import type { Happening } from './lives.ts';
import { type Item, wrongWith } from './oracle.ts';
import { fatesOf, wrongAfter } from './reconciled.ts';

const ids = newUpload();
const at = (second: number) => new Date(Date.UTC(2026, 10, 24, 10, 0, second)).toISOString();
const document = { type: 'paystubs', fileName: 'a.pdf', ocrErrors: [], updatedAt: at(0), fetchedAt: at(3) };
const processing = { classification: 'idle', ocr: 'idle', authenticity: 'idle' };
const record: Item = { ...ids, addedAt: at(2), document: { ...document, processing } };
const added = happening(eventsOfLife.upload, { isAcknowledged: true });

describe('the oracle sees', () => {
  test('nothing where all is well', () => {
    expect(wrongWith(record, [added])).toEqual([]);
    expect(wrongWith(undefined, [happening(eventsOfLife.upload, { isAcknowledged: false })])).toEqual([]);
  });

  const { addedAt, ...withoutSlot } = record;
  const { document: _, ...withoutDocument } = record;
  const newer = happening(eventsOfLife.authenticity, { isAcknowledged: true, updatedAt: at(1) });
  const removed = { ...happening(eventsOfLife.removal, { isAcknowledged: true }), upload: undefined } as never;
  const tombstone = { ...record, removedAt: at(2), expiresAt: Date.parse(at(2)) / 1_000 + 90 * 86_400 };
  const authenticated = { ...record, authenticityAt: at(2) };
  test.each<[string, Item | undefined, readonly Happening[], string]>([
    ['a lost record', undefined, [added], 'lost: there is no record'],
    ['a lost slot', withoutSlot, [added], 'lost: addedAt was acknowledged and is missing'],
    ['a lost document', withoutDocument, [added], 'lost: the document'],
    ['a slot of another time', { ...record, addedAt: at(9) }, [added], 'addedAt is not the earliest receipt'],
    ['a slot of nothing', authenticated, [added], 'authenticityAt came from nowhere'],
    ['an old document', authenticated, [added, newer], 'the document is older than the last event'],
    ['a document that is none', { ...record, document }, [added], 'the document is older than the last event'],
    ['a removed document', tombstone, [added, removed], 'the document outlived its removal'],
  ])('%s', (_, seen, life, what) => {
    expect(wrongWith(seen, life).join()).toContain(what);
  });
});

describe('of an event that was never acknowledged, the fate', () => {
  const [upload, failure, success, removal] = [
    happening(eventsOfLife.upload, { isAcknowledged: true }),
    happening(eventsOfLife.failure, { isAcknowledged: false }),
    happening(eventsOfLife.success, { isAcknowledged: true }),
    happening(eventsOfLife.removal, { isAcknowledged: true }),
  ];
  const before = { addedAt: at(2) };
  const failed = { ...before, ocrFailedAt: at(2) };
  test.each<[string, readonly Happening[], Item, Item]>([
    ['kept', [upload, failure], failed, failed],
    ['found', [upload, failure], before, failed],
    ['superseded', [upload, failure, success], before, { ...before, ocrCompletedAt: at(2) }],
    ['of a removed document', [upload, failure, removal], before, { ...before, removedAt: at(2) }],
    ['MISSING', [upload, failure], before, before],
    ['MISSING', [upload, failure, success], before, before],
  ])('is: %s', (fate, life, seen, after) => {
    expect(fatesOf(life, { before: seen, after, shiftedMs: 0 })).toEqual([[failure.event, fate]]);
  });

  test('leaves what webhooks told as it was', () => {
    const shiftedMs = 1_000;
    const after = { addedAt: at(1), status: 'added' };
    expect(wrongAfter([upload], { before, after, shiftedMs })).toEqual([]);
    expect(wrongAfter([upload], { before, after: { ...after, addedAt: at(2) }, shiftedMs })).toEqual([
      'reconciliation has changed addedAt',
    ]);
    expect(wrongAfter([upload, success], { before, after, shiftedMs })).toEqual([
      'the status is added and should be ocr_completed',
    ]);
  });
});

function happening(
  event: Happening['event'],
  { isAcknowledged, updatedAt = at(0) }: { readonly isAcknowledged: boolean; readonly updatedAt?: string },
): Happening {
  const sent = { event, ids, body: '', isLost: false, firstSentMs: Date.parse(at(1)) };
  return {
    event,
    ids,
    happen: () => Promise.reject(new Error('It has happened.')),
    deliveries: [isAcknowledged ? { ...sent, acknowledgedMs: Date.parse(at(4)) } : sent],
    upload: newUserUpload(ids, 'paystubs', 'a.pdf', updatedAt),
  };
}
