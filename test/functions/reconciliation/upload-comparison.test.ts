import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEnvelope } from '../../../functions/domain/envelope.ts';
import { type EventType, events, type Slot } from '../../../functions/domain/events.ts';
import type { UserUpload } from '../../../functions/domain/user-upload.ts';
import {
  type Comparison,
  compareUpload,
  foundEventBody,
  type KnownRecord,
} from '../../../functions/reconciliation/upload-comparison.ts';
import { sample, sampleBody } from '../../support/builders/builders.ts';

const { account, user, userUpload } = sample;
const at = '2026-11-24T10:00:00.123Z';
const updatedAt = '2026-11-24T09:00:00.000Z';
const older = '2026-11-24T08:59:59.999Z';
const newer = '2026-11-24T09:00:00.001Z';

test.each<[string, Slot[], KnownRecord | undefined, Comparison['kind'], string[]]>([
  ['without a record', ['addedAt', 'authenticityAt'], undefined, 'missing', ['added', 'ocr_authenticity']],
  ['whose record lacks a slot', ['addedAt', 'ocrFailedAt'], record(['addedAt']), 'behind', ['ocr_failed']],
  ['whose document is older', ['addedAt'], record(['addedAt'], older), 'behind', ['added']],
  ['whose document was never fetched', ['addedAt'], record(['addedAt'], null), 'behind', ['added']],
  ['whose document is the same', ['addedAt'], record(['addedAt'], updatedAt), 'current', []],
  ['whose document is newer', ['addedAt'], record(['addedAt'], newer), 'current', []],
  ['whose record has additional slots', ['addedAt'], record(['addedAt', 'ocrFailedAt']), 'current', []],
  ['whose record is a tombstone', ['addedAt', 'ocrFailedAt'], record(['removedAt'], null), 'tombstone', []],
])('a listed upload %s: %j and %j is %s and needs %j', (_, listed, known, kind, names) => {
  expect(compareUpload(upload(listed), known)).toEqual({ kind, events: names.map((name) => `user_uploads.${name}`) });
});

describe('the body of a found event', () => {
  test('is the body of a webhook', () => {
    const body = foundEventBody('user_uploads.added', { userUpload, account, user });
    expect(Buffer.from(body).toString()).toBe(sampleBody({ name: 'reconciliation' }));
  });

  test('has no user when none is known, and is still read as an event of reconciliation', () => {
    const body = foundEventBody('user_uploads.added', { userUpload, account });
    expect(Buffer.from(body).toString()).not.toContain('"user"');
    expect(readEnvelope(body, true)).toEqual({
      kind: 'envelope',
      envelope: { event: 'user_uploads.added', account, userUpload },
    });
  });
});

describe('after the events of a comparison', () => {
  const slots = Object.values(events).map(({ slot }) => slot);
  const anyTime = fc
    .date({ noInvalidDate: true, min: new Date(0), max: new Date('2030-01-01') })
    .map((date) => date.toISOString());
  const anyUpload = fc
    .record({ slots: fc.subarray(slots.filter((slot) => slot !== 'removedAt')), time: anyTime })
    .map((facts) => upload(['addedAt', ...facts.slots.filter((slot) => slot !== 'addedAt')], facts.time));
  const anyRecord = fc
    .record({ slots: fc.subarray(slots, { minLength: 1 }), time: fc.option(anyTime) })
    .map((facts) => record(facts.slots, facts.time));

  test('a second comparison finds nothing, and no listed upload is removed', () => {
    fc.assert(
      fc.property(anyUpload, fc.option(anyRecord, { nil: undefined }), (listed, before) => {
        const { events: found } = compareUpload(listed, before);
        if (before?.slots.removedAt) expect(found).toEqual([]);
        expect(found).not.toContain('user_uploads.removed');
        const after = found.reduce((known, event) => applied(known, event, listed), before);
        expect(['current', 'tombstone']).toContain(compareUpload(listed, after).kind);
        expect(compareUpload(listed, after).events).toEqual([]);
      }),
    );
  });
});

// Applies an event to a record as a worker does, simplified.
function applied(before: KnownRecord | undefined, event: EventType, listed: UserUpload): KnownRecord {
  return {
    ...(before ?? { userUpload, account }),
    slots: { [events[event].slot]: at, ...before?.slots },
    documentUpdatedAt: listed.document.updatedAt,
  };
}

function upload(slots: readonly Slot[], documentUpdatedAt = updatedAt): UserUpload {
  return { id: userUpload, account, document: { processing: {}, ocrErrors: [], updatedAt: documentUpdatedAt }, slots };
}

function record(slots: readonly Slot[], documentUpdatedAt: string | null = updatedAt): KnownRecord {
  const times = Object.fromEntries(slots.map((slot) => [slot, at]));
  return { userUpload, account, slots: times, ...(documentUpdatedAt && { documentUpdatedAt }) };
}
