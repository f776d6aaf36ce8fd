import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { events, eventTypes } from '../../../functions/domain/events.ts';
import { statusOf, type UploadSlots } from '../../../functions/domain/upload-record.ts';
import { describeChange, type RecordWrite } from '../../../functions/record-changes/record-change.ts';

type Stored = Exclude<RecordWrite['before'], undefined>;

const slots = eventTypes.map((event) => events[event].slot);
const ids = { userUpload: 'upload', account: 'account', user: 'user' };
const at = '2026-11-24T10:00:00.123Z';
const added = { ...ids, addedAt: at };
const document = {
  type: 'W-2',
  fileName: 'payslip of Jane Doe.pdf',
  processing: { ocr: 'failed', classification: 'completed' },
  ocrErrors: ['The name Jane Doe is blurred.'],
  authenticityScore: 87,
  updatedAt: at,
  fetchedAt: at,
};

// All states of a record: any set of slots, with and without a user and a document.
const times = fc
  .date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString());
const documents = fc.record(
  {
    type: fc.string({ unit: 'binary', maxLength: 1_000 }),
    fileName: fc.string({ unit: 'binary', maxLength: 1_000 }),
    processing: fc.dictionary(
      fc.constantFrom('classification', 'ocr', 'authenticity'),
      fc.string({ maxLength: 1_000 }),
    ),
    ocrErrors: fc.array(fc.string({ unit: 'binary', maxLength: 1_000 }), { maxLength: 20 }),
    authenticityScore: fc.integer({ min: 0, max: 100 }),
    updatedAt: times,
    fetchedAt: times,
  },
  { requiredKeys: ['processing', 'ocrErrors', 'updatedAt', 'fetchedAt'] },
);
const records: fc.Arbitrary<Stored> = fc
  .record(
    {
      account: fc.uuid(),
      user: fc.uuid(),
      expiresAt: fc.integer({ min: 0 }),
      document: documents,
      ...Object.fromEntries(slots.map((slot) => [slot, times])),
    },
    { requiredKeys: ['account'] },
  )
  .map((record) => ({ ...record, userUpload: 'upload' }));

describe('a change of a record', () => {
  test('has the record and its status before and after', () => {
    const after = { ...added, ocrFailedAt: at };
    expect(describeChange(write(added, after))).toEqual({
      id: 'write-1',
      userUpload: 'upload',
      statusBefore: 'added',
      statusAfter: 'ocr_failed',
      expired: false,
      before: added,
      after,
    });
  });

  test('has null before a new record and after a deleted one', () => {
    expect(describeChange(write(undefined, added))).toMatchObject({ statusBefore: null, before: null, after: added });
    expect(describeChange(write(added, undefined))).toMatchObject({ statusAfter: null, before: added, after: null });
  });

  test('is expired only if DynamoDB deleted the record by its expiry', () => {
    const removed = { ...ids, removedAt: at, expiresAt: 1_800_000_000 };
    const expired = { expired: true, statusBefore: 'removed', statusAfter: null };
    expect(describeChange({ ...write(removed, undefined), isExpiry: true })).toMatchObject(expired);
    expect(describeChange(write(removed, undefined))?.expired).toBe(false);
  });

  test('has the type, states, score and time of the document, but no text of a person', () => {
    const change = describeChange(write(added, { ...added, document }));
    expect(change?.after?.document).toEqual({
      type: 'W-2',
      processing: { classification: 'completed', ocr: 'failed' },
      authenticityScore: 87,
      updatedAt: at,
    });
    expect(JSON.stringify(change)).not.toMatch(/Jane|blurred|pdf|fileName|ocrErrors|fetchedAt/);
  });

  test.each([
    { changed: 'the file name', to: { fileName: 'other.pdf' }, isPublished: false },
    { changed: 'the OCR errors', to: { ocrErrors: [] }, isPublished: false },
    { changed: 'the time of the fetch', to: { fetchedAt: '2026-11-25T10:00:00.123Z' }, isPublished: false },
    {
      changed: 'the order of the states',
      to: { processing: { classification: 'completed', ocr: 'failed' } },
      isPublished: false,
    },
    { changed: 'a state', to: { processing: { ocr: 'completed', classification: 'completed' } }, isPublished: true },
    { changed: 'the score', to: { authenticityScore: 12 }, isPublished: true },
    { changed: 'the type', to: { type: 'paystubs' }, isPublished: true },
    { changed: 'the time of the update', to: { updatedAt: '2026-11-25T10:00:00.123Z' }, isPublished: true },
  ])('is published if $changed of the document changed: $isPublished', ({ to, isPublished }) => {
    const before = { ...added, document };
    const change = describeChange(write(before, { ...before, document: { ...document, ...to } }));
    expect(change !== undefined).toBe(isPublished);
  });

  test.each(['my file.pdf', 'ä', '', 'x'.repeat(41), 'a\nb'])('omits %j in place of a word of a list', (text) => {
    const strange = { ...document, type: text, processing: { ocr: text, [text]: 'idle', Jane_Doe: 'idle' } };
    expect(describeChange(write(undefined, { ...added, document: strange }))?.after?.document).toEqual({
      processing: {},
      authenticityScore: 87,
      updatedAt: at,
    });
  });

  test.each([
    ['a time', { addedAt: 5 }],
    ['the expiry', { expiresAt: 'soon' }],
    ['the document', { document: 'text' }],
    ['no document', { document: null }],
    ['a sentence in place of a time', { addedAt: 'when Jane Doe said so' }],
    ['a long text in place of a time', { removedAt: 'x'.repeat(65) }],
  ])('omits values of another form: %s', (_, strange) => {
    expect(describeChange(write(undefined, { ...ids, ...strange }))?.after).toEqual(ids);
  });

  test('omits values of another form in the document', () => {
    const strange = { type: 87, processing: { ocr: 87 }, authenticityScore: '87', updatedAt: 87 };
    const none = { type: 87, processing: 'idle', updatedAt: 'when Jane Doe said so' };
    for (const document of [strange, none])
      expect(describeChange(write(undefined, { ...ids, document }))?.after?.document).toEqual({ processing: {} });
  });

  test('is not published for other attributes', () => {
    expect(describeChange(write(added, { ...added, note: 'internal' }))).toBeUndefined();
  });
});

describe('for any two states of a record', () => {
  const states = fc.option(records, { nil: undefined });
  const check = (property: (before: Stored | undefined, after: Stored | undefined) => void) =>
    fc.assert(fc.property(states, states, property), { numRuns: 500 });

  test('the statuses are those of the records', () => {
    check((before, after) => {
      const change = describeChange(write(before, after));
      if (!change) return;
      expect(change.statusBefore).toBe(before ? statusOf(before as UploadSlots) : null);
      expect(change.statusAfter).toBe(after ? statusOf(after as UploadSlots) : null);
    });
  });

  test('a change of status is always published', () => {
    check((before, after) => {
      const isSame = before && after && statusOf(before as UploadSlots) === statusOf(after as UploadSlots);
      if (!isSame && (before || after)) expect(describeChange(write(before, after))).toBeDefined();
    });
  });

  test('the same write returns the same event, and a write without changes none', () => {
    check((before, after) => {
      expect(describeChange(write(before, after))).toEqual(describeChange(write(before, after)));
      expect(describeChange(write(before, structuredClone(before)))).toBeUndefined();
    });
  });

  test('the event is far below the 256 KiB limit of the event bus', () => {
    check((before, after) => {
      const bytes = Buffer.byteLength(JSON.stringify(describeChange(write(before, after)) ?? {}));
      expect(bytes).toBeLessThan(4_096);
    });
  });
});

function write(before: Stored | undefined, after: Stored | undefined): RecordWrite {
  return { id: 'write-1', userUpload: 'upload', before, after, isExpiry: false };
}
