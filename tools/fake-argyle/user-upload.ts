import { eventOf } from '../../functions/domain/events.ts';
import { removalSlot } from '../../functions/domain/upload-record.ts';
import type { UploadIds } from './webhook-request.ts';

/** State of one step of a document's processing. `unauthorized`: not enabled for this customer. */
export type ProcessingState = 'unauthorized' | 'idle' | 'in_progress' | 'completed' | 'failed';

/** The user-upload object of Argyle's API. It has no user, and older copies have no `processing`. */
export type UserUpload = {
  readonly id: string;
  readonly account: string;
  readonly document_type: string;
  readonly file_url: string;
  readonly file_name: string;
  readonly metadata: Readonly<Record<'ocr_data' | 'ocr_authenticity', object | null>> & {
    readonly ocr_authenticity_score: number | null;
  };
  readonly processing?: Readonly<Record<'classification' | 'ocr' | 'authenticity', ProcessingState>>;
  readonly created_at: string;
  readonly updated_at: string;
};

/** Result of OCR to simulate. `documentType`: OCR may overwrite the type that the user chose. */
export type OcrRun = {
  readonly result: 'success' | 'failure' | 'authenticity';
  readonly error?: string | object;
  readonly score?: number;
  readonly documentType?: string;
};

/** The event of each change of a document. */
export const changeEvents = {
  upload: eventOf('addedAt'),
  success: eventOf('ocrCompletedAt'),
  failure: eventOf('ocrFailedAt'),
  authenticity: eventOf('authenticityAt'),
  removal: eventOf(removalSlot),
} as const;

const idle = { classification: 'idle', ocr: 'idle', authenticity: 'idle' } as const;

/** A new document, uploaded at `now` (ISO 8601) and not yet processed. */
export function newUserUpload(ids: UploadIds, documentType: string, fileName: string, now: string): UserUpload {
  return {
    id: ids.userUpload,
    account: ids.account,
    document_type: documentType,
    // Argyle's real paths are unknown. A reserved domain, so that no request ever leaves this machine.
    file_url: `https://files.argyle.invalid/${ids.userUpload}`,
    file_name: fileName,
    metadata: { ocr_data: null, ocr_authenticity: null, ocr_authenticity_score: null },
    processing: idle,
    created_at: now,
    updated_at: now,
  };
}

/** Returns the document after OCR at `now`. Authenticity has its own status, which the other two results do not change. */
export function afterOcr(upload: UserUpload, run: OcrRun, now: string): UserUpload {
  const { metadata, processing = idle } = upload;
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
  const steps = isSuccess ? ({ classification: 'completed', ocr: 'completed' } as const) : ({ ocr: 'failed' } as const);
  return { ...changed, metadata: { ...metadata, ocr_data: ocrData }, processing: { ...processing, ...steps } };
}

// Argyle passes on Ocrolus' answer, whose format is opaque to readers: the format below is invented. Tests search for
// the marker OCR-DATA to verify that none of it is stored.
const sampleOcrData = { fields: { employee: 'OCR-DATA Jane Sample', netPay: '1234.56' } };
const sampleAuthenticity = { signals: [{ description: 'OCR-DATA The fonts differ.' }] };
