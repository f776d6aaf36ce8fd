import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createUploadIdSet, packIds, unpackIds } from '../../../functions/reconciliation/upload-id-set.ts';

const id = fc
  .array(fc.constantFrom(...'0123456789abcdef'), { minLength: 32, maxLength: 32 })
  .map((digits) => digits.join('').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));
// Many of these ids differ in a single digit.
const similarId = fc.nat(300).map((n) => `00000000-0000-0000-0000-${n.toString(16).padStart(12, '0')}`);

describe('packed ids', () => {
  test('are 16 bytes each and are unpacked unchanged', () => {
    fc.assert(
      fc.property(fc.array(id), (ids) => {
        const packed = packIds(ids);
        expect(packed).toHaveLength(16 * ids.length);
        expect(unpackIds(packed)).toEqual(ids);
      }),
    );
  });

  test('are unpacked in lower case', () => {
    expect(unpackIds(packIds(['01320596-2C3D-189C-53E7-A8CE6D625B33']))).toEqual([
      '01320596-2c3d-189c-53e7-a8ce6d625b33',
    ]);
  });

  test.each(['', 'x', '01320596-2c3d-189c-53e7-a8ce6d625b3', '013205962c3d189c53e7a8ce6d625b33'])(
    'cannot contain %j',
    (other) => {
      expect(() => packIds([other])).toThrow('8-4-4-4-12');
    },
  );
});

describe('a set of ids', () => {
  test.each([
    ['random', id],
    ['similar', similarId],
  ])('has the ids that were added and no others: %s ids', (_, ids) => {
    fc.assert(
      fc.property(fc.array(ids), fc.array(ids), (added, others) => {
        const set = createUploadIdSet(added.length);
        set.addPacked(packIds(added));
        const expected = new Set(added);
        for (const one of [...added, ...others]) expect(set.has(one)).toBe(expected.has(one));
      }),
    );
  });

  test('accepts ids in several chunks, and duplicates once', () => {
    const ids = Array.from({ length: 100 }, (_, n) => `${String(n).padStart(8, '0')}-0000-0000-0000-000000000000`);
    const set = createUploadIdSet(100);
    // A copy, because a Buffer shares its memory with others, whose ids could be found by mistake.
    set.addPacked(Uint8Array.from(packIds(ids.slice(0, 60))));
    set.addPacked(Uint8Array.from(packIds(ids.slice(40))));
    expect(ids.every(set.has)).toBe(true);
  });

  test('does not contain the id of zeros while it is empty', () => {
    expect(createUploadIdSet(0).has('00000000-0000-0000-0000-000000000000')).toBe(false);
  });

  test('refuses ids beyond its capacity', () => {
    const set = createUploadIdSet(1);
    set.addPacked(packIds(['00000000-0000-0000-0000-000000000001']));
    expect(() => set.addPacked(packIds(['00000000-0000-0000-0000-000000000002']))).toThrow('capacity of 1');
  });
});
