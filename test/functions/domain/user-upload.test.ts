import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readUserUpload, utcTime } from '../../../functions/domain/user-upload.ts';
import { sample } from '../../support/builders/builders.ts';

const object = {
  id: sample.userUpload,
  account: sample.account,
  document_type: 'paystubs',
  file_url: 'https://example.com/file',
  file_name: 'payslip.pdf',
  metadata: { ocr_data: { pages: 2 }, ocr_authenticity: { score: 91 }, ocr_authenticity_score: 91 },
  processing: { classification: 'completed', ocr: 'completed', authenticity: 'in_progress' },
  created_at: '2026-11-24T09:00:00Z',
  updated_at: '2026-11-24T12:00:00.5+02:00',
};

describe('readUserUpload', () => {
  it('returns the ids, the document and the slots of the record', () => {
    expect(readUserUpload(object)).toEqual({
      id: sample.userUpload,
      account: sample.account,
      document: {
        type: 'paystubs',
        fileName: 'payslip.pdf',
        processing: { classification: 'completed', ocr: 'completed', authenticity: 'in_progress' },
        ocrErrors: [],
        authenticityScore: 91,
        updatedAt: '2026-11-24T10:00:00.500Z',
      },
      slots: ['addedAt', 'ocrCompletedAt'],
    });
  });

  it('returns neither OCR data nor the URL of the file', () => {
    expect(JSON.stringify(readUserUpload(object))).not.toMatch(/pages|example\.com/);
  });

  it.each([
    ['null', null],
    ['a text', 'upload'],
    ['an upload without an id', { ...object, id: undefined }],
    ['an upload without an account', { ...object, account: null }],
  ])('returns undefined for %s', (_, value) => {
    expect(readUserUpload(value)).toBeUndefined();
  });

  it('requires only the ids', () => {
    const document = { processing: {}, ocrErrors: [], updatedAt: '1970-01-01T00:00:00.000Z' };
    const { id, account } = object;
    expect(readUserUpload({ id, account })).toEqual({ id, account, document, slots: ['addedAt'] });
  });

  it.each([
    ['a text', 'page 1 is unreadable', ['page 1 is unreadable']],
    ['an object', { message: 'blurred', page: 1 }, ['{"message":"blurred","page":1}']],
    ['a list of both', ['blurred', { page: 1 }], ['blurred', '{"page":1}']],
    ['a number', 5, ['5']],
    ['an empty text', '', []],
    ['an empty object', {}, []],
    ['null', null, []],
  ])('returns the OCR errors as texts: %s', (_, error, ocrErrors) => {
    const upload = readUserUpload({ ...object, metadata: { ocr_data: { error } } });
    expect(upload?.document.ocrErrors).toEqual(ocrErrors);
  });

  it('limits the length and number of texts', () => {
    const long = '😀'.repeat(5_000);
    const upload = readUserUpload({
      ...object,
      file_name: long,
      metadata: { ocr_data: { error: Array(1_000).fill(long) } },
    });
    expect(upload?.document.fileName).toBe('😀'.repeat(1_000));
    expect(upload?.document.ocrErrors).toEqual(Array(20).fill('😀'.repeat(1_000)));
  });

  it('cuts errors that are nested deeper than five levels', () => {
    const error = JSON.parse(`${'{"in":['.repeat(10)}1${']}'.repeat(10)}`);
    const upload = readUserUpload({ ...object, metadata: { ocr_data: { error } } });
    expect(upload?.document.ocrErrors).toEqual(['{"in":[{"in":[{"in":"…"}]}]}']);
  });

  it.each(['[', '{"a":'])('reads metadata that are nested 100,000 levels deep: %s', (opening) => {
    const deep = JSON.parse(`${opening.repeat(100_000)}1${(opening === '[' ? ']' : '}').repeat(100_000)}`);
    for (const ocr_data of [deep, { error: deep }, { error: [deep] }])
      expect(readUserUpload({ ...object, metadata: { ocr_data, ocr_authenticity: deep } })?.id).toBe(object.id);
  });

  it('returns texts that are valid UTF-8', () => {
    const upload = readUserUpload({ ...object, file_name: '\ud800.pdf', document_type: `${'x'.repeat(1_999)}😀` });
    expect(upload?.document).toMatchObject({ fileName: '\ufffd.pdf', type: 'x'.repeat(1_000) });
  });

  it.each([0, 1, 100])('returns the score %i', (ocr_authenticity_score) => {
    const upload = readUserUpload({ ...object, metadata: { ocr_authenticity_score } });
    expect(upload?.document.authenticityScore).toBe(ocr_authenticity_score);
  });

  it.each([12.5, '91', null, Number.NaN, -1, 101, 1e21])('returns no score for %o', (ocr_authenticity_score) => {
    const upload = readUserUpload({ ...object, metadata: { ocr_authenticity_score } });
    expect(upload?.document).not.toHaveProperty('authenticityScore');
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), fc.anything(), (metadata, processing, updated_at) => {
        const upload = readUserUpload({ ...object, metadata, processing, updated_at });
        expect(upload?.document.updatedAt).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/);
      }),
    );
  });
});

describe('the slots', () => {
  it.each([
    ['completed', 'completed', ['addedAt', 'ocrCompletedAt', 'authenticityAt']],
    ['failed', 'completed', ['addedAt', 'ocrFailedAt', 'authenticityAt']],
    ['in_progress', 'in_progress', ['addedAt']],
    ['idle', 'failed', ['addedAt']],
    ['unauthorized', 'unauthorized', ['addedAt']],
  ])('follow from the states of its processing: OCR %s, authenticity %s', (ocr, authenticity, slots) => {
    expect(readUserUpload({ ...object, processing: { ocr, authenticity } })?.slots).toEqual(slots);
  });

  it.each([
    ['an error', { ocr_data: { error: 'blurred' } }, ['addedAt', 'ocrFailedAt']],
    ['data', { ocr_data: { pages: 1 } }, ['addedAt', 'ocrCompletedAt']],
    ['authenticity', { ocr_data: null, ocr_authenticity: { score: 1 } }, ['addedAt', 'authenticityAt']],
    ['empty objects', { ocr_data: {}, ocr_authenticity: {} }, ['addedAt']],
    ['nulls', { ocr_data: null, ocr_authenticity: null }, ['addedAt']],
  ])('follow from the metadata of an older copy, which has no states: %s', (_, metadata, slots) => {
    expect(readUserUpload({ ...object, processing: undefined, metadata })?.slots).toEqual(slots);
  });
});

describe('utcTime', () => {
  it.each([
    ['2026-11-24T12:00:00Z', '2026-11-24T12:00:00.000Z'],
    ['2026-11-24T12:00:00.123456Z', '2026-11-24T12:00:00.123Z'],
    ['2026-11-24T12:00:00-05:00', '2026-11-24T17:00:00.000Z'],
  ])('returns UTC with milliseconds: %s', (time, text) => {
    expect(utcTime(time)).toBe(text);
  });

  it.each(['yesterday', '', undefined, null, 1_700_000_000, '+012026-11-24T00:00:00Z', '-000001-01-01T00:00:00Z'])(
    'returns the epoch for a time that is invalid or would not sort as text: %o',
    (time) => {
      expect(utcTime(time)).toBe('1970-01-01T00:00:00.000Z');
    },
  );
});
