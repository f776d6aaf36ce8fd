import { describe, expect, it } from 'vitest';
import {
  expiryOf,
  isTooOldToCreate,
  removalSlot,
  statusOf,
  type UploadStatus,
} from '../../../functions/domain/upload-record.ts';

const at = '2026-11-24T10:00:00.123Z';
const slotOf = { a: 'addedAt', c: 'ocrCompletedAt', f: 'ocrFailedAt', x: 'authenticityAt', r: 'removedAt' } as const;

// Every combination of slots: added, completed, failed, authenticity (x), removed.
const combinations: Readonly<Record<UploadStatus, string>> = {
  pending: '- x',
  added: 'a ax',
  ocr_failed: 'f fx af afx',
  ocr_completed: 'c cx cf cfx ac acx acf acfx',
  removed: 'r rx ra rax rf rfx raf rafx rc rcx rcf rcfx rac racx racf racfx',
};
const rows = Object.entries(combinations).flatMap(([status, texts]) =>
  texts.split(' ').map((slots) => ({ slots, status })),
);

describe('statusOf', () => {
  it.each(rows)('is $status for the slots $slots', ({ slots, status }) => {
    expect(statusOf(recordWith(slots))).toBe(status);
  });

  it('is tested for all 32 combinations of the five slots', () => {
    expect(new Set(rows.map(({ slots }) => Object.keys(recordWith(slots)).sort().join())).size).toBe(32);
  });

  it('does not depend on the times', () => {
    const later = '2026-11-25T10:00:00.123Z';
    expect(statusOf({ ocrCompletedAt: at, ocrFailedAt: later })).toBe('ocr_completed');
    expect(statusOf({ ocrCompletedAt: later, ocrFailedAt: at })).toBe('ocr_completed');
    expect(statusOf({ removedAt: at, addedAt: later })).toBe('removed');
  });
});

describe('expiryOf', () => {
  it('is the removal plus the retention in whole epoch seconds', () => {
    expect(removalSlot).toBe('removedAt');
    expect(expiryOf('1970-01-01T00:00:00.000Z', 31)).toBe(31 * 86_400);
    expect(expiryOf('2026-11-24T10:00:00.999Z', 90)).toBe(Date.parse('2027-02-22T10:00:00.000Z') / 1_000);
  });
});

describe('isTooOldToCreate', () => {
  it('is true from one millisecond after 30 days', () => {
    expect(isTooOldToCreate(at, Date.parse('2026-12-24T10:00:00.123Z'))).toBe(false);
    expect(isTooOldToCreate(at, Date.parse('2026-12-24T10:00:00.124Z'))).toBe(true);
  });

  it('is false for a message of now or of the future', () => {
    expect(isTooOldToCreate(at, Date.parse(at))).toBe(false);
    expect(isTooOldToCreate(at, Date.parse(at) - 1)).toBe(false);
  });
});

function recordWith(slots: string) {
  const present = Object.entries(slotOf).filter(([letter]) => slots.includes(letter));
  return Object.fromEntries(present.map(([, slot]) => [slot, at]));
}
