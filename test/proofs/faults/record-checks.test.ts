import { expect, test } from 'vitest';
import { changeEvents, newUserUpload } from '../../../tools/fake-argyle/user-upload.ts';
import { newUpload } from '../../support/fakes/argyle-sender.ts';
import type { Item } from '../soak/record-differences.ts';
import type { Delivery, UploadEvent } from './histories.ts';
import { reconciliationErrors, recordErrors } from './record-checks.ts';

const ids = newUpload();
const at = (second: number) => new Date(Date.UTC(2026, 10, 24, 10, 0, second)).toISOString();
const nowMs = Date.parse(at(30));
const added = uploadEvent(changeEvents.upload);
const [{ acknowledgedMs: _acknowledgedMs, ...unanswered }] = added.deliveries as [Delivery];
const unacknowledged: UploadEvent = { ...added, deliveries: [unanswered] };
const document = { type: 'paystubs', fileName: 'a.pdf', ocrErrors: [], updatedAt: at(0), fetchedAt: at(3) };
const processing = { classification: 'idle', ocr: 'idle', authenticity: 'idle' };
const record: Item = { ...ids, addedAt: at(2), document: { ...document, processing } };
const { addedAt: _addedAt, ...withoutSlot } = record;
const { document: _document, ...withoutDocument } = record;

test('a correct record has no errors, and neither does a missing record of unacknowledged events', () => {
  expect(recordErrors(record, [added], nowMs)).toEqual([]);
  expect(recordErrors(undefined, [unacknowledged], nowMs)).toEqual([]);
});

const newer = uploadEvent(changeEvents.authenticity, at(1));
const { upload: _upload, ...removed } = uploadEvent(changeEvents.removal);
const tombstone = { ...record, removedAt: at(2), expiresAt: Date.parse(at(2)) / 1_000 + 90 * 86_400 };
const authenticated = { ...record, authenticityAt: at(2) };
test.each<[string, Item | undefined, readonly UploadEvent[], string]>([
  ['a lost record', undefined, [added], 'lost: there is no record'],
  ['a lost slot', withoutSlot, [added], 'lost: addedAt was acknowledged and is missing'],
  ['a lost document', withoutDocument, [added], 'lost: the document'],
  ['another user', { ...record, user: 'another' }, [added], 'wrong user'],
  ['an unknown attribute', { ...record, extra: 1 }, [added], 'unexpected extra'],
  ['a slot with another time', { ...record, addedAt: at(9) }, [added], 'addedAt is not the earliest receipt'],
  ['a slot without an event', authenticated, [added], 'authenticityAt has no event'],
  ['an old document', authenticated, [added, newer], 'the document is older than the last event'],
  ['an incomplete document', { ...record, document }, [added], 'the document is older than the last event'],
  ['a document of the future', { ...record, document: { ...document, fetchedAt: at(31) } }, [added], 'wrong fetchedAt'],
  ['a document of a tombstone', tombstone, [added, removed], 'the document was not deleted after its removal'],
  ['a wrong expiry', { ...tombstone, expiresAt: 1 }, [added, removed], 'wrong expiresAt'],
])('%s is an error', (_, seen, history, error) => {
  expect(recordErrors(seen, history, nowMs).join()).toContain(error);
});

const success = uploadEvent(changeEvents.success);
const before = { addedAt: at(2) };
test('reconciliation must not change a slot, and must reach the right status', () => {
  const shiftedMs = 1_000;
  const after = { addedAt: at(1), status: 'added' };
  expect(reconciliationErrors([added], { before, after, shiftedMs })).toEqual([]);
  expect(reconciliationErrors([added], { before, after: { ...after, addedAt: at(2) }, shiftedMs })).toEqual([
    'reconciliation has changed addedAt',
  ]);
  expect(reconciliationErrors([added, success], { before, after, shiftedMs })).toEqual([
    'the status is added and should be ocr_completed',
  ]);
});

/** An event with one delivery, sent at second 1 and acknowledged at second 4. */
function uploadEvent(event: UploadEvent['event'], updatedAt = at(0)): UploadEvent {
  const sent = { event, ids, body: '', isLost: false, firstSentMs: Date.parse(at(1)) };
  return {
    event,
    ids,
    cause: () => Promise.reject(new Error('The event has already happened.')),
    deliveries: [{ ...sent, acknowledgedMs: Date.parse(at(4)) }],
    upload: newUserUpload(ids, 'paystubs', 'a.pdf', updatedAt),
  };
}
