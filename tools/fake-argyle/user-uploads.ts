import type { EventType } from '../../functions/domain/events.ts';
import type { Sequence } from './page.ts';
import { type SeedBlock, seededIds, seededNumber, seededRange, seededUpload } from './seeded-upload.ts';
import type { UserUpload } from './user-upload.ts';
import type { UploadIds } from './webhook-request.ts';

/** A document as the fake knows it. `events`: what has happened since the start, in order, whether delivered or not. */
export type KnownUpload = UploadIds & {
  readonly isRemoved: boolean;
  readonly events: readonly EventType[];
  readonly upload: UserUpload;
};

/** Which documents to list; a filter that is null lets all pass. */
export type UploadFilter = Readonly<Record<'account' | 'user' | 'documentType', string | null>>;

/** All documents of the fake Argyle. What is seeded takes no memory until it is changed. */
export type UserUploads = ReturnType<typeof createUserUploads>;

/** Makes the empty store. Positions count up from 0 and are never used again. */
export function createUserUploads() {
  let end = 0;
  let removed = 0;
  const blocks: SeedBlock[] = [];
  const changed = new Map<number, KnownUpload>();
  const positions = new Map<string, number>();
  const owned = new Map<string, number[]>();

  const at = (position: number): KnownUpload | undefined => {
    const known = changed.get(position);
    const block = known ? undefined : blocks.find(({ start, count }) => position >= start && position < start + count);
    return block ? fromSeed(block, position - block.start) : known;
  };
  const positionOf = (id: string): number | undefined => {
    const position = positions.get(id);
    if (position !== undefined) return position;
    for (const block of blocks) {
      const number = seededNumber(block, id);
      if (number !== undefined) return block.start + number;
    }
    return undefined;
  };
  // All positions of an account or user, in order; there may be seeded ones and others.
  const positionsOf = (owner: string): number[] => {
    const seeded = blocks.flatMap((block) => {
      const [first, behind] = seededRange(block, owner) ?? [0, 0];
      return Array.from({ length: behind - first }, (_, number) => block.start + first + number);
    });
    return [...seeded, ...(owned.get(owner) ?? [])].sort((one, other) => one - other);
  };

  const list = (filter: UploadFilter): Sequence<UserUpload> =>
    function* (beside, step) {
      const owner = filter.account ?? filter.user;
      const some = owner === null ? undefined : positionsOf(owner);
      for (const position of some ? inOrder(some, beside, step) : range(end, beside, step)) {
        const known = at(position);
        if (known && !known.isRemoved && passes(known, filter)) yield [position, known.upload];
      }
    };

  return {
    list,
    find: (id: string): KnownUpload | undefined => {
      const position = positionOf(id);
      return position === undefined ? undefined : at(position);
    },
    /** The documents of an account that are not removed. */
    ofAccount: (account: string): KnownUpload[] =>
      positionsOf(account)
        .flatMap((position) => at(position) ?? [])
        .filter((known) => !known.isRemoved && known.account === account),
    add: (known: KnownUpload): void => {
      for (const owner of [known.account, known.user]) {
        const some = owned.get(owner);
        if (some) some.push(end);
        else owned.set(owner, [end]);
      }
      positions.set(known.userUpload, end);
      changed.set(end, known);
      end += 1;
    },
    /** Puts what has become of a known document in its place. */
    change: (known: KnownUpload): void => {
      const position = positionOf(known.userUpload);
      if (position === undefined) throw new Error(`There is no upload ${known.userUpload}.`);
      if (known.isRemoved && !at(position)?.isRemoved) removed += 1;
      changed.set(position, known);
    },
    seed: (seed: number, count: number): void => {
      blocks.push({ seed, start: end, count });
      end += count;
    },
    /** How many are listed, and all that were added or changed one by one, removed ones too. */
    count: (): number => end - removed,
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

function inOrder(sorted: readonly number[], beside: number | undefined, step: 1 | -1): number[] {
  const some = sorted.filter((position) => beside === undefined || Math.sign(position - beside) === step);
  return step === 1 ? some : some.reverse();
}

function* range(end: number, beside: number | undefined, step: 1 | -1): Iterable<number> {
  const first = beside === undefined ? (step === 1 ? 0 : end - 1) : beside + step;
  for (let position = first; position >= 0 && position < end; position += step) yield position;
}
