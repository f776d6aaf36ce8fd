import { eventOf } from '../../functions/domain/events.ts';
import { removalSlot } from '../../functions/domain/upload-record.ts';
import type { UploadIds } from './webhook-request.ts';

/** What Argyle says of one step of a document's processing. `unauthorized`: not enabled for this customer. */
export type ProcessingState = 'unauthorized' | 'idle' | 'in_progress' | 'completed' | 'failed';

/** The user-upload object of Argyle's API; `processing` is absent in older copies. There is no user in it. */
export type UserUpload = {
  readonly id: string;
  readonly account: string;
  readonly document_type: string;
  readonly file_url: string;
  readonly file_name: string;
  readonly metadata: {
    readonly ocr_data: object | null;
    readonly ocr_authenticity: object | null;
    readonly ocr_authenticity_score: number | null;
  };
  readonly processing?: {
    readonly classification: ProcessingState;
    readonly ocr: ProcessingState;
    readonly authenticity: ProcessingState;
  };
  readonly created_at: string;
  readonly updated_at: string;
};

/** What OCR is to come to. `documentType`: OCR may overwrite the type that the user chose. */
export type OcrRun = {
  readonly result: 'success' | 'failure' | 'authenticity';
  readonly error?: string | object;
  readonly score?: number;
  readonly documentType?: string;
};

/** Which event tells of what happens to a document. */
export const eventsOfLife = {
  upload: eventOf('addedAt'),
  success: eventOf('ocrCompletedAt'),
  failure: eventOf('ocrFailedAt'),
  authenticity: eventOf('authenticityAt'),
  removal: eventOf(removalSlot),
} as const;

/** A document just uploaded, at `now` (ISO 8601): nothing has been processed. */
export function newUserUpload(ids: UploadIds, documentType: string, fileName: string, now: string): UserUpload {
  return {
    id: ids.userUpload,
    account: ids.account,
    document_type: documentType,
    // No path of Argyle's is known; a reserved name, so that nobody is ever asked for it.
    file_url: `https://files.argyle.invalid/${ids.userUpload}`,
    file_name: fileName,
    metadata: { ocr_data: null, ocr_authenticity: null, ocr_authenticity_score: null },
    processing: { classification: 'idle', ocr: 'idle', authenticity: 'idle' },
    created_at: now,
    updated_at: now,
  };
}

/** The document after OCR, at `now`. Authenticity has a status of its own, which the other two results leave alone. */
export function afterOcr(upload: UserUpload, run: OcrRun, now: string): UserUpload {
  const { metadata, processing = { classification: 'idle', ocr: 'idle', authenticity: 'idle' } } = upload;
  const changed = { ...upload, document_type: run.documentType ?? upload.document_type, updated_at: now };
  if (run.result === 'authenticity') {
    return {
      ...changed,
      metadata: { ...metadata, ocr_authenticity: sampleAuthenticity, ocr_authenticity_score: run.score ?? 87 },
      processing: { ...processing, authenticity: 'completed' },
    };
  }
  const isSuccess = run.result === 'success';
  const ocrData = isSuccess ? sampleOcrData : { error: run.error ?? 'The document could not be read.' };
  return {
    ...changed,
    metadata: { ...metadata, ocr_data: ocrData },
    processing: {
      ...processing,
      classification: isSuccess ? 'completed' : processing.classification,
      ocr: isSuccess ? 'completed' : 'failed',
    },
  };
}

// Argyle passes on what Ocrolus answers and so does whoever reads it: the shape below is this fake's own. The marker
// lets a test see that nothing of it is kept.
const sampleOcrData = { fields: { employee: 'OCR-DATA Jane Sample', netPay: '1234.56' } };
const sampleAuthenticity = { signals: [{ description: 'OCR-DATA The fonts differ.' }] };
