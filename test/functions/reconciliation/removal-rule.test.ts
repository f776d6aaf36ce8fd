import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UploadSlots } from '../../../functions/domain/upload-record.ts';
import {
  isEligible,
  isRemovalCandidate,
  maxRemovals,
  recordMiss,
} from '../../../functions/reconciliation/removal-rule.ts';

const hourMs = 3_600_000;
const startMs = Date.parse('2026-11-24T10:00:00.000Z');
const time = (hours: number, milliseconds = 0) => new Date(startMs + hours * hourMs + milliseconds).toISOString();

describe('a record that Argyle does not list', () => {
  test.each<[string, UploadSlots, boolean]>([
    ['over 24 h old', { addedAt: time(-24, -1) }, true],
    ['24 h old', { addedAt: time(-24) }, false],
    ['over 24 h old by its earliest event', { addedAt: time(-1), ocrCompletedAt: time(-25) }, true],
    ['younger by all its events', { addedAt: time(-23), ocrCompletedAt: time(-1) }, false],
    ['a tombstone', { addedAt: time(-50), removedAt: time(-40) }, false],
    ['without events', {}, false],
  ])('%s: %o is a candidate for removal: %s', (_, slots, isExpected) => {
    expect(isRemovalCandidate({ userUpload: 'any', account: 'any', slots }, time(0))).toBe(isExpected);
  });
});

test.each([
  ['known from a webhook and over 24 h old', { user: 'any', hours: 25 }, true],
  ['known from a webhook and younger', { user: 'any', hours: 23 }, false],
  ["imported from Argyle's list, without a user", { hours: 25 }, false],
])('a record %s is eligible: %o is %s', (_, { hours, ...owner }, isExpected) => {
  const record = { userUpload: 'any', account: 'any', ...owner, slots: { addedAt: time(-hours) } };
  expect(isEligible(record, time(0))).toBe(isExpected);
});

test.each([
  [0, 0, 3],
  [20, 0, 3],
  [39, 0, 3],
  [40, 0, 4],
  [199, 0, 19],
  [200, 0, 20],
  [2_099, 0, 20],
  [2_100, 0, 21],
  [1_000_000, 0, 10_000],
  [100, 35, 35],
  [100, 3, 10],
])('with %i eligible records and %i confirmed removals, a run removes at most %i', (eligible, confirmed, max) => {
  expect(maxRemovals(eligible, confirmed)).toBe(max);
});

describe('a document that is neither listed nor found by its id', () => {
  const first = run('first', 0);
  const known = { firstMissedAt: time(0), missedBy: 'first' };

  test('is only recorded the first time', () => {
    expect(recordMiss(undefined, first, startMs + 5)).toEqual({
      isGone: false,
      miss: { firstMissedAt: time(0, 5), missedBy: 'first' },
    });
  });

  test('is gone when the next run, which starts 12 h after the first miss, misses it too', () => {
    expect(recordMiss(known, run('next', 12, 'first'), startMs + 13 * hourMs).isGone).toBe(true);
    expect(recordMiss(known, run('next', 12, 'first', -1), startMs + 13 * hourMs).isGone).toBe(false);
  });

  test('keeps its first miss when the next run starts too early, and is gone in the run after that', () => {
    const early = recordMiss(known, run('early', 6, 'first'), startMs + 6 * hourMs);
    expect(early).toEqual({ isGone: false, miss: { firstMissedAt: time(0), missedBy: 'early' } });
    expect(recordMiss(early.miss, run('third', 12, 'early'), startMs + 12 * hourMs).isGone).toBe(true);
  });

  test('is missed for the first time again when the run in between found it', () => {
    expect(recordMiss(known, run('third', 48, 'second'), startMs + 48 * hourMs)).toEqual({
      isGone: false,
      miss: { firstMissedAt: time(48), missedBy: 'third' },
    });
  });

  test('is never gone because of one run alone, however long it takes and however often it repeats a check', () => {
    const { miss } = recordMiss(undefined, first, startMs);
    expect(recordMiss(miss, first, startMs + 60 * hourMs)).toEqual({ isGone: false, miss });
  });

  test('keeps the time of its removal when the same run checks it again, so that the same removal is queued again', () => {
    const removed = { ...known, missedBy: 'second', removedAt: time(13) };
    expect(recordMiss(removed, run('second', 12, 'first'), startMs + 14 * hourMs)).toEqual({
      isGone: true,
      miss: removed,
    });
  });

  test('is missed for the first time again in the run after its removal, which a person may have undone', () => {
    const removed = { ...known, missedBy: 'second', removedAt: time(13) };
    expect(recordMiss(removed, run('third', 36, 'second'), startMs + 37 * hourMs)).toMatchObject({
      isGone: false,
      miss: { firstMissedAt: time(37), missedBy: 'third' },
    });
  });

  test('remembers every removal that was queued, because any of them may be applied late', () => {
    const removed = { ...known, missedBy: 'second', removedAt: time(13) };
    const { miss } = recordMiss(removed, run('third', 36, 'second'), startMs + 37 * hourMs);
    const again = { ...recordMiss(miss, run('fourth', 60, 'third'), startMs + 61 * hourMs).miss, removedAt: time(61) };
    const last = recordMiss(again, run('fifth', 84, 'fourth'), startMs + 85 * hourMs).miss;

    expect(miss).not.toHaveProperty('removedAt');
    expect(last.earlierRemovals).toEqual([
      { run: 'second', removedAt: time(13) },
      { run: 'fourth', removedAt: time(61) },
    ]);
    expect(recordMiss(last, run('fifth', 84, 'fourth'), startMs + 86 * hourMs).miss).toEqual(last);
  });

  test('is gone only when all runs of at least 12 h have missed it', () => {
    const anyRuns = fc.array(fc.record({ hours: fc.nat(30), misses: fc.boolean() }), { maxLength: 12 });
    fc.assert(
      fc.property(anyRuns, (runs) => {
        let hours = 0;
        let lastMiss: Parameters<typeof recordMiss>[0];
        // The time, in hours, since which all runs have missed it.
        let missedSince: number | undefined;
        for (const [index, { hours: later, misses }] of runs.entries()) {
          hours += later;
          if (!misses) missedSince = undefined;
          if (!misses) continue;
          const { isGone, miss } = recordMiss(
            lastMiss,
            run(`${index}`, hours, `${index - 1}`),
            startMs + hours * hourMs,
          );
          expect(isGone).toBe(missedSince !== undefined && hours - missedSince >= 12);
          missedSince = isGone ? undefined : (missedSince ?? hours);
          lastMiss = isGone ? { ...miss, removedAt: time(hours) } : miss;
        }
      }),
    );
  });
});

function run(id: string, hours: number, previousRun?: string, milliseconds = 0) {
  return { id, startedAt: time(hours, milliseconds), ...(previousRun && { previousRun }) };
}
