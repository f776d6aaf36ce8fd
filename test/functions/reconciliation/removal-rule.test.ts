import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UploadSlots } from '../../../functions/domain/upload-record.ts';
import { afterMiss, mayBeGone, mostRemovals } from '../../../functions/reconciliation/removal-rule.ts';

const hourMs = 3_600_000;
const startMs = Date.parse('2026-11-24T10:00:00.000Z');
const time = (hours: number, milliseconds = 0) => new Date(startMs + hours * hourMs + milliseconds).toISOString();

describe('a record that Argyle does not list', () => {
  test('may be gone when it was over 24 h old as the run began', () => {
    expect(mayBeGone(record({ addedAt: time(-24, -1) }), time(0))).toBe(true);
    expect(mayBeGone(record({ addedAt: time(-24) }), time(0))).toBe(false);
  });

  test('is as old as its earliest event', () => {
    expect(mayBeGone(record({ addedAt: time(-1), ocrCompletedAt: time(-25) }), time(0))).toBe(true);
    expect(mayBeGone(record({ addedAt: time(-23), ocrCompletedAt: time(-1) }), time(0))).toBe(false);
  });

  test('is not gone again when it is a tombstone', () => {
    expect(mayBeGone(record({ addedAt: time(-50), removedAt: time(-40) }), time(0))).toBe(false);
  });

  test('without any event has no age', () => {
    expect(mayBeGone(record({}), time(0))).toBe(false);
  });
});

describe('one run removes at most', () => {
  test.each([
    [0, 20],
    [2_099, 20],
    [2_100, 21],
    [1_000_000, 10_000],
  ])('of %i records: %i', (records, most) => {
    expect(mostRemovals(records, 0)).toBe(most);
  });

  test('as many as somebody confirmed, and never less for it', () => {
    expect(mostRemovals(100, 35)).toBe(35);
    expect(mostRemovals(100, 3)).toBe(20);
  });
});

describe('a document that is neither listed nor found', () => {
  const first = run('first', 0);

  test('is only remembered the first time', () => {
    expect(afterMiss(undefined, first, startMs + 5)).toEqual({
      isGone: false,
      miss: { firstMissedAt: time(0, 5), missedBy: 'first' },
    });
  });

  test('is gone when the next run, begun 12 h after the first miss, misses it too', () => {
    const known = { firstMissedAt: time(0), missedBy: 'first' };
    expect(afterMiss(known, run('next', 12, 'first'), startMs + 13 * hourMs).isGone).toBe(true);
    expect(afterMiss(known, run('next', 12, 'first', -1), startMs + 13 * hourMs).isGone).toBe(false);
  });

  test('stays missed since the first time when the next run comes too early, and is gone with the one after it', () => {
    const early = afterMiss(
      { firstMissedAt: time(0), missedBy: 'first' },
      run('early', 6, 'first'),
      startMs + 6 * hourMs,
    );
    expect(early).toEqual({ isGone: false, miss: { firstMissedAt: time(0), missedBy: 'early' } });
    expect(afterMiss(early.miss, run('third', 12, 'early'), startMs + 12 * hourMs).isGone).toBe(true);
  });

  test('begins anew when the run in between found it', () => {
    const known = { firstMissedAt: time(0), missedBy: 'first' };
    expect(afterMiss(known, run('third', 48, 'second'), startMs + 48 * hourMs)).toEqual({
      isGone: false,
      miss: { firstMissedAt: time(48), missedBy: 'third' },
    });
  });

  test('is never gone by one run alone, however long that takes and however often a part is repeated', () => {
    const { miss } = afterMiss(undefined, first, startMs);
    expect(afterMiss(miss, first, startMs + 60 * hourMs)).toEqual({ isGone: false, miss });
  });

  test('is gone only after two runs at least 12 h apart, whatever runs there are', () => {
    const anyRuns = fc.array(fc.record({ hours: fc.nat(30), misses: fc.boolean() }), { maxLength: 12 });
    fc.assert(
      fc.property(anyRuns, (runs) => {
        let hours = 0;
        let known: Parameters<typeof afterMiss>[0];
        // Since when, in hours, all runs have missed it.
        let missedSince: number | undefined;
        for (const [index, { hours: later, misses }] of runs.entries()) {
          hours += later;
          if (!misses) missedSince = undefined;
          if (!misses) continue;
          const answer = afterMiss(known, run(`${index}`, hours, `${index - 1}`), startMs + hours * hourMs);
          expect(answer.isGone).toBe(missedSince !== undefined && hours - missedSince >= 12);
          missedSince ??= hours;
          known = answer.miss;
        }
      }),
    );
  });
});

function run(id: string, hours: number, previousRun?: string, milliseconds = 0) {
  return { id, startedAt: time(hours, milliseconds), ...(previousRun && { previousRun }) };
}

function record(slots: UploadSlots) {
  return { userUpload: 'any', account: 'any', slots };
}
