import type { KnownUpload } from '../../../tools/fake-argyle/user-uploads.ts';

type StoredRecord = Readonly<Record<string, unknown>> | undefined;

// Written out by hand: the oracle shares no code with the product.
const slots: Readonly<Record<string, string>> = {
  'user_uploads.added': 'addedAt',
  'user_uploads.ocr_completed': 'ocrCompletedAt',
  'user_uploads.ocr_failed': 'ocrFailedAt',
  'user_uploads.ocr_authenticity': 'authenticityAt',
};

/**
 * What is wrong with the record of a document, given what Argyle knows of it. A failure of OCR that a success followed may be
 * missing: Argyle does not show it any more. So may the user, whom only a webhook names, and the whole record of a document
 * of which no webhook told before it was removed.
 */
export function wrongWithRecord(record: StoredRecord, known: KnownUpload): readonly string[] {
  if (known.isRemoved) {
    if (!record) return [];
    return [
      ...(record.removedAt ? [] : ['the removal is missing']),
      ...(record.document === undefined ? [] : ['the document is still there']),
    ];
  }
  if (!record) return ['there is no record'];
  const happened = known.events.flatMap((event) => slots[event] ?? []);
  const written = Object.keys(record).filter((name) => name.endsWith('At') && name !== 'expiresAt');
  const isHidden = (slot: string) => slot === 'ocrFailedAt' && known.upload.processing?.ocr === 'completed';
  const { user = known.user, account } = record;
  return [
    ...happened.filter((slot) => !written.includes(slot) && !isHidden(slot)).map((slot) => `${slot} is missing`),
    ...written.filter((slot) => !happened.includes(slot)).map((slot) => `${slot} came from nowhere`),
    ...(user === known.user && account === known.account ? [] : ['wrong account or user']),
    ...wrongWithDocument((record.document ?? {}) as Readonly<Record<string, unknown>>, known.upload),
  ];
}

function wrongWithDocument(
  document: Readonly<Record<string, unknown>>,
  upload: KnownUpload['upload'],
): readonly string[] {
  const expected: Readonly<Record<string, unknown>> = {
    type: upload.document_type,
    fileName: upload.file_name,
    updatedAt: upload.updated_at,
    authenticityScore: upload.metadata.ocr_authenticity_score ?? undefined,
  };
  return Object.keys(expected).flatMap((name) => (document[name] === expected[name] ? [] : [`old document: ${name}`]));
}
