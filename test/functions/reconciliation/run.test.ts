import { describe, expect, test } from 'vitest';
import {
  addCounts,
  countsSince,
  hasEnded,
  isUnfinished,
  newRun,
  nextPart,
  type Run,
} from '../../../functions/reconciliation/run.ts';

const startMs = Date.parse('2026-11-24T10:00:00.000Z');
const dayMs = 86_400_000;
const fresh = newRun('run', startMs, 'before');

describe('a run', () => {
  test('starts with the list and zero counts', () => {
    const { counts, ...others } = fresh;
    expect(others).toEqual({
      id: 'run',
      startedAt: '2026-11-24T10:00:00.000Z',
      phase: 'list',
      previousRun: 'before',
      pagesRead: 0,
      parts: 0,
      confirmedRemovals: 0,
      listedChunks: 0,
      candidateChunks: 0,
      checkNext: { chunk: 0, index: 0 },
    });
    expect(new Set(Object.values(counts))).toEqual(new Set([0]));
    expect(newRun('run', startMs, undefined)).not.toHaveProperty('previousRun');
  });

  test('continues for at most three days, and not after its end', () => {
    expect(isUnfinished(fresh, startMs + 3 * dayMs)).toBe(true);
    expect(isUnfinished(fresh, startMs + 3 * dayMs + 1)).toBe(false);
    expect(isUnfinished({ ...fresh, phase: 'done' }, startMs)).toBe(false);
    expect(isUnfinished({ ...fresh, phase: 'failed' }, startMs)).toBe(false);
    expect(isUnfinished(undefined, startMs)).toBe(false);
  });

  test('has at most as many parts as fit into three days', () => {
    expect(nextPart(fresh)).toEqual({ ...fresh, parts: 1 });
    expect(nextPart({ ...fresh, parts: 308 }).parts).toBe(309);
    expect(() => nextPart({ ...fresh, parts: 309 })).toThrow('has not ended after 309 parts');
  });

  test('that an earlier release saved continues with the defaults of the attributes that it lacks', () => {
    const { parts, pagesRead, counts, ...others } = addCounts(fresh, { checked: 7 });
    const { eligible, ...known } = counts;
    expect(nextPart({ ...others, counts: known } as Run)).toEqual({
      ...others,
      counts,
      parts: 1,
      pagesRead: 0,
    });
  });

  test.each(['list', 'scan', 'check'] as const)('has not ended in the phase %s', (phase) => {
    expect(hasEnded({ ...fresh, phase })).toBe(false);
  });

  test('adds up its counts, and returns the counts of one invocation', () => {
    const earlier = addCounts(fresh, { checked: 200, missing: 3 });
    const later = addCounts(earlier, { checked: 150, behind: 1 });
    expect(later.counts).toMatchObject({ checked: 350, missing: 3, behind: 1, gone: 0 });
    expect(countsSince(later, earlier)).toMatchObject({ checked: 150, missing: 0, behind: 1, gone: 0 });
  });
});
