import type { KnownUpload } from '../../../tools/fake-argyle/user-uploads.ts';

/** A record as the table stores it. */
export type Item = Readonly<Record<string, unknown>>;

/** The slot of each event. Written by hand from the design: the checks share no code with the product. */
export const slots: Readonly<Record<string, string>> = {
  'user_uploads.added': 'addedAt',
  'user_uploads.removed': 'removedAt',
  'user_uploads.ocr_completed': 'ocrCompletedAt',
  'user_uploads.ocr_failed': 'ocrFailedAt',
  'user_uploads.ocr_authenticity': 'authenticityAt',
};

/**
 * Returns how a record differs from Argyle's state of its document. Reconciliation cannot learn everything, so these
 * may be missing: an OCR failure that a success followed, the user, and the record of a document that was removed before
 * any webhook arrived.
 */
export function recordDifferences(record: Item | undefined, known: KnownUpload): readonly string[] {
  if (known.isRemoved) {
    if (!record) return [];
    return [
      ...(record.removedAt ? [] : ['removedAt is missing']),
      ...(record.document === undefined ? [] : ['the document was not deleted']),
    ];
  }
  if (!record) return ['there is no record'];
  const expected = known.events.flatMap((event) => slots[event] ?? []);
  const stored = Object.keys(record).filter((name) => name.endsWith('At') && name !== 'expiresAt');
  const isOptional = (slot: string) => slot === 'ocrFailedAt' && known.upload.processing?.ocr === 'completed';
  const { user = known.user, account } = record;
  return [
    ...expected.filter((slot) => !stored.includes(slot) && !isOptional(slot)).map((slot) => `${slot} is missing`),
    ...stored.filter((slot) => !expected.includes(slot)).map((slot) => `${slot} has no event`),
    ...(user === known.user && account === known.account ? [] : ['wrong account or user']),
    ...documentDifferences((record.document ?? {}) as Item, known.upload),
  ];
}

function documentDifferences(document: Item, upload: KnownUpload['upload']): readonly string[] {
  const expected: Item = {
    type: upload.document_type,
    fileName: upload.file_name,
    updatedAt: upload.updated_at,
    authenticityScore: upload.metadata.ocr_authenticity_score ?? undefined,
  };
  return Object.keys(expected).flatMap((name) => (document[name] === expected[name] ? [] : [`old document: ${name}`]));
}
