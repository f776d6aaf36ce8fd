import type { EventType } from '../../functions/domain/events.ts';
import { idFrom, newId } from './ids.ts';
import { afterOcr, eventsOfLife, newUserUpload, type OcrRun, type UserUpload } from './user-upload.ts';
import type { KnownUpload, UserUploads } from './user-uploads.ts';
import type { UploadIds } from './webhook-request.ts';

/** A document to upload; what is left away is made up: an account of its own, and one user to an account. */
export type NewDocument = Partial<UploadIds> & { readonly documentType?: string; readonly fileName?: string };

/** What users and OCR do with documents. */
export type Documents = ReturnType<typeof createDocuments>;

/** Each change is in the store first, so that the API shows it when the event arrives; then the event is fired. */
export function createDocuments(uploads: UserUploads, fire: (event: EventType, ids: UploadIds) => void) {
  const happen = (known: KnownUpload, event: EventType): KnownUpload => {
    const after = { ...known, events: [...known.events, event] };
    uploads.change(after);
    fire(event, after);
    return after;
  };
  const listed = (id: string): KnownUpload | undefined => {
    const known = uploads.find(id);
    return known?.isRemoved ? undefined : known;
  };
  const remove = (known: KnownUpload) => happen({ ...known, isRemoved: true }, eventsOfLife.removal);

  return {
    /** Uploads a document; undefined when its id is taken. */
    upload: (document: NewDocument): KnownUpload | undefined => {
      const { userUpload = newId(), documentType = 'paystubs', fileName = 'document.pdf' } = document;
      if (uploads.find(userUpload)) return undefined;
      const { account = idFrom(`account of ${userUpload}`), user = idFrom(`user of ${account}`) } = document;
      const ids = { userUpload, account, user };
      const upload = newUserUpload(ids, documentType, fileName, new Date().toISOString());
      const known = { ...ids, isRemoved: false, events: [], upload };
      uploads.add(known);
      return happen(known, eventsOfLife.upload);
    },
    /** What OCR comes to; undefined when the document is not listed. */
    runOcr: (id: string, run: OcrRun): KnownUpload | undefined => {
      const known = listed(id);
      const upload = known && afterOcr(known.upload, run, new Date().toISOString());
      return upload && happen({ ...known, upload }, eventsOfLife[run.result]);
    },
    /**
     * Puts fields into the user-upload object as they are, however wrong, without an event; null takes one away.
     * Undefined when the document is not listed.
     */
    change: (id: string, fields: Readonly<Record<string, unknown>>): KnownUpload | undefined => {
      const known = listed(id);
      if (!known) return undefined;
      const merged = Object.entries({ ...known.upload, ...fields }).filter(([, value]) => value !== null);
      const after = { ...known, upload: Object.fromEntries(merged) as UserUpload };
      uploads.change(after);
      return after;
    },
    remove: (id: string): KnownUpload | undefined => {
      const known = listed(id);
      return known && remove(known);
    },
    /** Deletes an account: all documents of it are removed. */
    removeAccount: (account: string): KnownUpload[] => uploads.ofAccount(account).map(remove),
  };
}
