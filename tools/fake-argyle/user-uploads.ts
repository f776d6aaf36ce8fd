import type { EventType } from '../../functions/domain/events.ts';
import { idFrom, newId } from './ids.ts';
import type { NewestFirst } from './page.ts';
import { type SeedBlock, seededIds, seededNumber, seededRange, seededUpload } from './seeded-upload.ts';
import { afterOcr, changeEvents, newUserUpload, type OcrRun, type UserUpload } from './user-upload.ts';
import type { UploadIds } from './webhook-request.ts';

/** A document of the fake. `events`: its events since the start, in order, delivered or not. */
export type KnownUpload = UploadIds & {
  readonly isRemoved: boolean;
  readonly events: readonly EventType[];
  readonly upload: UserUpload;
};

/** A document to upload. Defaults: new ids, with one user per account. */
export type NewDocument = Partial<UploadIds> & { readonly documentType?: string; readonly fileName?: string };

/** Null matches every document. */
export type UploadFilter = Readonly<Record<'account' | 'user' | 'documentType', string | null>>;

export type UserUploads = ReturnType<typeof createUserUploads>;

/**
 * Creates the store of documents, with the operations of users and of OCR. Each change is stored first, so that the API shows it
 * when the event arrives; then `fire` sends the event. Functions that change a document return undefined when it is not listed.
 */
export function createUserUploads(fire: (event: EventType, ids: UploadIds) => void) {
  const store = createStore();
  const applyEvent = (known: KnownUpload, event: EventType): KnownUpload => {
    const after = { ...known, events: [...known.events, event] };
    store.change(after);
    fire(event, after);
    return after;
  };
  const findListed = (id: string): KnownUpload | undefined => {
    const known = store.find(id);
    return known?.isRemoved ? undefined : known;
  };
  const remove = (known: KnownUpload) => applyEvent({ ...known, isRemoved: true }, changeEvents.removal);

  return {
    ...store,
    findListed,
    /** Returns undefined when the id is taken. */
    upload: (document: NewDocument): KnownUpload | undefined => {
      const { userUpload = newId(), documentType = 'paystubs', fileName = 'document.pdf' } = document;
      if (store.find(userUpload)) return undefined;
      const { account = idFrom(`account of ${userUpload}`), user = idFrom(`user of ${account}`) } = document;
      const ids = { userUpload, account, user };
      const upload = newUserUpload(ids, documentType, fileName, new Date().toISOString());
      const known = { ...ids, isRemoved: false, events: [], upload };
      store.add(known);
      return applyEvent(known, changeEvents.upload);
    },
    runOcr: (id: string, run: OcrRun): KnownUpload | undefined => {
      const known = findListed(id);
      const upload = known && afterOcr(known.upload, run, new Date().toISOString());
      return upload && applyEvent({ ...known, upload }, changeEvents[run.result]);
    },
    /** Overwrites fields of the user-upload object with any value, without an event. Null deletes a field. */
    overwrite: (id: string, fields: Readonly<Record<string, unknown>>): KnownUpload | undefined => {
      const known = findListed(id);
      if (!known) return undefined;
      const merged = Object.entries({ ...known.upload, ...fields }).filter(([, value]) => value !== null);
      const after = { ...known, upload: Object.fromEntries(merged) as UserUpload };
      store.change(after);
      return after;
    },
    remove: (id: string): KnownUpload | undefined => {
      const known = findListed(id);
      return known && remove(known);
    },
    /** Deletes an account with all its documents. */
    removeAccount: (account: string): KnownUpload[] => store.ofAccount(account).map(remove),
  };
}

/** Positions count up from 0 and are never reused. Seeded documents take no memory until they change. */
function createStore() {
  let end = 0;
  const blocks: SeedBlock[] = [];
  const changed = new Map<number, KnownUpload>();
  const positions = new Map<string, number>();
  const owned = new Map<string, number[]>();

  const at = (position: number): KnownUpload | undefined => {
    const block = blocks.find(({ start, count }) => position >= start && position < start + count);
    return changed.get(position) ?? (block && fromSeed(block, position - block.start));
  };
  const positionOf = (id: string): number | undefined => {
    const seeded = blocks.flatMap((block) => {
      const number = seededNumber(block, id);
      return number === undefined ? [] : [block.start + number];
    });
    return positions.get(id) ?? seeded[0];
  };
  /** All positions of an account or user, newest first. */
  const positionsOf = (owner: string): number[] => {
    const seeded = blocks.flatMap((block) => {
      const [first, last] = seededRange(block, owner) ?? [0, -1];
      return Array.from({ length: last - first + 1 }, (_, number) => block.start + first + number);
    });
    return [...seeded, ...(owned.get(owner) ?? [])].sort((one, other) => other - one);
  };
  const find = (id: string): KnownUpload | undefined => {
    const position = positionOf(id);
    return position === undefined ? undefined : at(position);
  };

  return {
    find,
    list: (filter: UploadFilter): NewestFirst<UserUpload> =>
      function* (before) {
        const owner = filter.account ?? filter.user;
        for (const position of owner === null ? countDown(Math.min(before, end)) : positionsOf(owner)) {
          const known = position < before ? at(position) : undefined;
          if (known && !known.isRemoved && passes(known, filter)) yield [position, known.upload];
        }
      },
    ofAccount: (account: string): KnownUpload[] =>
      positionsOf(account)
        .flatMap((position) => at(position) ?? [])
        .filter((known) => !known.isRemoved && known.account === account),
    add: (known: KnownUpload): void => {
      for (const owner of [known.account, known.user]) owned.set(owner, [...(owned.get(owner) ?? []), end]);
      positions.set(known.userUpload, end);
      changed.set(end, known);
      end += 1;
    },
    change: (known: KnownUpload): void => {
      const position = positionOf(known.userUpload);
      if (position === undefined) throw new Error(`There is no upload ${known.userUpload}.`);
      changed.set(position, known);
    },
    seed: (seed: number, count: number): void => {
      blocks.push({ seed, start: end, count });
      end += count;
    },
    /** Number of listed documents. */
    count: (): number => end - [...changed.values()].filter(({ isRemoved }) => isRemoved).length,
    /** All documents that were added or changed individually, including removed ones. */
    changed: (): KnownUpload[] => [...changed.values()],
  };
}

function fromSeed({ seed }: SeedBlock, number: number): KnownUpload {
  const ids = seededIds(seed, number);
  return { ...ids, isRemoved: false, events: [], upload: seededUpload(ids, number) };
}

function passes(known: KnownUpload, { account, user, documentType }: UploadFilter): boolean {
  return (
    (account === null || known.account === account) &&
    (user === null || known.user === user) &&
    (documentType === null || known.upload.document_type === documentType)
  );
}

function* countDown(end: number): Iterable<number> {
  for (let position = end - 1; position >= 0; position -= 1) yield position;
}
