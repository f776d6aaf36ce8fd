import { readId } from '../domain/envelope.ts';

/** A set of upload ids. It takes about 22 MB for a million ids. */
export type UploadIdSet = {
  /** Adds packed ids. Throws when the capacity is exceeded. */
  readonly addPacked: (ids: Uint8Array) => void;
  readonly has: (id: string) => boolean;
};

const packedIdBytes = 16;

/** Packs ids (8-4-4-4-12 hex) into 16 bytes each. Throws when an id has another form. */
export function packIds(ids: readonly string[]): Buffer {
  return Buffer.concat(
    ids.map((id) => {
      if (!readId(id)) throw new Error('An upload id is not 8-4-4-4-12 hex: it cannot be packed.');
      return Buffer.from(id.replaceAll('-', ''), 'hex');
    }),
  );
}

/** Returns the packed ids as text, in lower case. */
export function unpackIds(packed: Uint8Array): readonly string[] {
  return Array.from({ length: packed.length / packedIdBytes }, (_, index) => {
    const bytes = packed.subarray(index * packedIdBytes, (index + 1) * packedIdBytes);
    return Buffer.from(bytes)
      .toString('hex')
      .replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  });
}

/**
 * Creates an empty set for at most `capacity` different ids. It is a hash table with open addressing in one array, because a
 * Set of a million strings would take over 100 MB.
 */
export function createUploadIdSet(capacity: number): UploadIdSet {
  // A quarter of the slots stays free, so that a search takes only a few steps.
  const slots = Math.max(8, Math.ceil(capacity / 0.75));
  const words = new Uint32Array(slots * 4);
  const isUsed = new Uint8Array(slots);
  let size = 0;

  // Returns the slot of an id, or the free slot where it belongs.
  const find = (id: readonly [number, number, number, number]): number => {
    for (let slot = hash(id) % slots; ; slot = (slot + 1) % slots) {
      if (!isUsed[slot] || id.every((word, index) => words[slot * 4 + index] === word)) return slot;
    }
  };
  const add = (id: readonly [number, number, number, number]): void => {
    const slot = find(id);
    if (isUsed[slot]) return;
    if (size === capacity) throw new Error(`The set has a capacity of ${capacity} upload ids and is full.`);
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

// Uses every digit, because nothing guarantees that ids are random.
function hash(id: readonly number[]): number {
  let mixed = 0;
  for (const word of id) {
    mixed = Math.imul(mixed ^ word, 0x9e3779b1);
    mixed ^= mixed >>> 15;
  }
  return mixed >>> 0;
}
