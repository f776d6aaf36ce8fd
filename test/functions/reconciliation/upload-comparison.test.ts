import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEnvelope } from '../../../functions/domain/envelope.ts';
import { type EventType, events, type Slot } from '../../../functions/domain/events.ts';
import type { UserUpload } from '../../../functions/domain/user-upload.ts';
import {
  compareUpload,
  foundEventBody,
  type KnownRecord,
} from '../../../functions/reconciliation/upload-comparison.ts';
import { sample, sampleBody } from '../../support/builders/builders.ts';

const { account, user, userUpload } = sample;
const at = '2026-11-24T10:00:00.123Z';
const updatedAt = '2026-11-24T09:00:00.000Z';

describe('an upload that Argyle lists', () => {
  test('is missing without a record, and needs an event for each of its slots', () => {
    expect(compareUpload(upload(['addedAt', 'ocrCompletedAt', 'authenticityAt']), undefined)).toEqual({
      kind: 'missing',
      events: ['user_uploads.added', 'user_uploads.ocr_completed', 'user_uploads.ocr_authenticity'],
    });
  });

  test('is behind by the slots that its record lacks', () => {
    expect(compareUpload(upload(['addedAt', 'ocrFailedAt']), record(['addedAt']))).toEqual({
      kind: 'behind',
      events: ['user_uploads.ocr_failed'],
    });
  });

  test.each([
    ['older', '2026-11-24T08:59:59.999Z'],
    ['never fetched', null],
  ])('is behind when its document is %s, and needs the added event to fetch it', (_, documentUpdatedAt) => {
    expect(compareUpload(upload(['addedAt']), record(['addedAt'], documentUpdatedAt))).toEqual({
      kind: 'behind',
      events: ['user_uploads.added'],
    });
  });

  test.each(['2026-11-24T09:00:00.000Z', '2026-11-24T09:00:00.001Z'])(
    'is current with all slots and a document of %s',
    (documentUpdatedAt) => {
      const known = record(['addedAt'], documentUpdatedAt);
      expect(compareUpload(upload(['addedAt']), known)).toEqual({ kind: 'current', events: [] });
    },
  );

  test('is current when its record has additional slots, such as a failure before a success', () => {
    const known = record(['addedAt', 'ocrFailedAt', 'ocrCompletedAt']);
    expect(compareUpload(upload(['addedAt', 'ocrCompletedAt']), known)).toEqual({ kind: 'current', events: [] });
  });

  test('needs no events when its record is a tombstone, whatever the record lacks', () => {
    expect(compareUpload(upload(['addedAt', 'ocrFailedAt']), record(['removedAt'], null))).toEqual({
      kind: 'tombstone',
      events: [],
    });
  });
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

const slots = Object.values(events).map(({ slot }) => slot);
const anyTime = fc
  .date({ noInvalidDate: true, min: new Date(0), max: new Date('2030-01-01') })
  .map((d) => d.toISOString());
const anyUpload = fc
  .record({ slots: fc.subarray(slots.filter((slot) => slot !== 'removedAt')), updatedAt: anyTime })
  .map((facts) => upload(['addedAt', ...facts.slots.filter((slot) => slot !== 'addedAt')], facts.updatedAt));
const anyRecord = fc.option(
  fc
    .record({ slots: fc.subarray(slots, { minLength: 1 }), documentUpdatedAt: fc.option(anyTime) })
    .map((facts) => record(facts.slots, facts.documentUpdatedAt)),
  { nil: undefined },
);

describe('after the events of a comparison', () => {
  test('a second comparison finds nothing missing or behind', () => {
    fc.assert(
      fc.property(anyUpload, anyRecord, (listed, before) => {
        const { events: found } = compareUpload(listed, before);
        const after = found.reduce((known, event) => applied(known, event, listed), before);
        expect(['current', 'tombstone']).toContain(compareUpload(listed, after).kind);
        expect(compareUpload(listed, after).events).toEqual([]);
      }),
    );
  });

  test('a tombstone is unchanged, and no listed upload is removed', () => {
    fc.assert(
      fc.property(anyUpload, anyRecord, (listed, before) => {
        const { events: found } = compareUpload(listed, before);
        if (before?.slots.removedAt) expect(found).toEqual([]);
        expect(found).not.toContain('user_uploads.removed');
      }),
    );
  });
});

// Applies an event to a record as a worker does, simplified.
function applied(before: KnownRecord | undefined, event: EventType, listed: UserUpload): KnownRecord {
  const { slot } = events[event];
  return {
    ...(before ?? { userUpload, account, slots: {} }),
    slots: { [slot]: at, ...before?.slots },
    documentUpdatedAt: listed.document.updatedAt,
  };
}

function upload(uploadSlots: readonly Slot[], documentUpdatedAt = updatedAt): UserUpload {
  const document = { processing: {}, ocrErrors: [], updatedAt: documentUpdatedAt };
  return { id: userUpload, account, document, slots: uploadSlots };
}

function record(recordSlots: readonly Slot[], documentUpdatedAt: string | null = updatedAt): KnownRecord {
  return {
    userUpload,
    account,
    slots: Object.fromEntries(recordSlots.map((slot) => [slot, at])),
    ...(documentUpdatedAt && { documentUpdatedAt }),
  };
}
