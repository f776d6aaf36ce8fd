import { readId } from '../domain/envelope.ts';

/** A set of upload ids, 16 bytes each: about 22 MB for a million. */
export type UploadIdSet = {
  /** Adds packed ids, one after the other; throws when there are more than the set was made for. */
  readonly addPacked: (ids: Uint8Array) => void;
  readonly has: (id: string) => boolean;
};

/** The bytes of a packed id. */
export const packedIdBytes = 16;

/** Ids (8-4-4-4-12 hex) as 16 bytes each, one after the other. Throws when one has another form. */
export function packIds(ids: readonly string[]): Buffer {
  return Buffer.concat(
    ids.map((id) => {
      if (!readId(id)) throw new Error('An upload id is not 8-4-4-4-12 hex: it cannot be packed.');
      return Buffer.from(id.replaceAll('-', ''), 'hex');
    }),
  );
}

/** The ids that were packed, in lower case. */
export function unpackIds(packed: Uint8Array): readonly string[] {
  return Array.from({ length: packed.length / packedIdBytes }, (_, index) => {
    const bytes = packed.subarray(index * packedIdBytes, (index + 1) * packedIdBytes);
    return Buffer.from(bytes)
      .toString('hex')
      .replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  });
}

/**
 * Makes an empty set for at most `capacity` ids, of which equal ones count once. A hash table with open addressing in
 * one array: a Set of a million strings would take over 100 MB.
 */
export function createUploadIdSet(capacity: number): UploadIdSet {
  // A quarter stays free, so that a search ends after a few steps.
  const slots = Math.max(8, Math.ceil(capacity / 0.75));
  const words = new Uint32Array(slots * 4);
  const isUsed = new Uint8Array(slots);
  let size = 0;

  // The slot of an id, or the free one where it belongs.
  const find = (id: readonly [number, number, number, number]): number => {
    for (let slot = hash(id) % slots; ; slot = (slot + 1) % slots) {
      if (!isUsed[slot] || id.every((word, index) => words[slot * 4 + index] === word)) return slot;
    }
  };
  const add = (id: readonly [number, number, number, number]): void => {
    const slot = find(id);
    if (isUsed[slot]) return;
    if (size === capacity) throw new Error(`The set was made for ${capacity} upload ids and cannot take another one.`);
    words.set(id, slot * 4);
    isUsed[slot] = 1;
    size += 1;
  };
  return {
    addPacked: (ids) => {
      for (let offset = 0; offset < ids.length; offset += packedIdBytes) add(wordsAt(ids, offset));
    },
    has: (id) => isUsed[find(wordsAt(packIds([id]), 0))] === 1,
  };
}

function wordsAt(ids: Uint8Array, offset: number): readonly [number, number, number, number] {
  const view = new DataView(ids.buffer, ids.byteOffset + offset, packedIdBytes);
  return [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)];
}

// Ids are random, but nothing promises it: every digit counts.
function hash(id: readonly number[]): number {
  let mixed = 0;
  for (const word of id) {
    mixed = Math.imul(mixed ^ word, 0x9e3779b1);
    mixed ^= mixed >>> 15;
  }
  return mixed >>> 0;
}
