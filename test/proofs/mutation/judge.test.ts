import { describe, expect, it } from 'vitest';
import { judge } from './judge.ts';

const domainFile = 'functions/ingest/signature.ts';
const entry = 'functions/worker/handler.ts';
const killed = { status: 'Killed' };
const survivor = { status: 'Survived', line: 2, replacement: 'false' };
const equivalent = { file: entry, mutator: 'Mutator', line: 'second line', replacement: 'false', reason: 'the same' };

describe('the mutation run passes', () => {
  it('when each group is at its floor and all survivors are listed', () => {
    const files = { [entry]: fileOf(times(17, killed), times(3, survivor)), [domainFile]: fileOf(times(9, killed)) };
    const { scores, faults } = judge({ files }, [equivalent]);
    expect(faults).toEqual([]);
    expect(scores).toEqual([
      'functions/worker/handler.ts: 85.0 % killed of 20 mutants (0 by time-out, 3 survived), floor 85 %',
      'shared rules: 100.0 % killed of 9 mutants (0 by time-out, 0 survived), floor 95 %',
    ]);
  });

  it('when a time-out kills a mutant, and with others that do not load', () => {
    const files = { [entry]: fileOf([{ status: 'Timeout' }, { status: 'RuntimeError' }, { status: 'CompileError' }]) };
    expect(judge({ files }, [])).toEqual({
      scores: ['functions/worker/handler.ts: 100.0 % killed of 1 mutants (1 by time-out, 0 survived), floor 85 %'],
      faults: [],
    });
  });
});

describe('the mutation run fails', () => {
  it.each([
    { file: domainFile, group: 'shared rules', kills: 18, percent: '94.7', floor: 95 },
    { file: entry, group: entry, kills: 5, percent: '83.3', floor: 85 },
  ])('when $group is under its floor, though the survivor is listed', ({ file, group, kills, percent, floor }) => {
    const files = { [file]: fileOf(times(kills, killed), [survivor]) };
    const { faults } = judge({ files }, [{ ...equivalent, file }]);
    expect(faults).toEqual([`${group}: ${percent} % killed is under the floor of ${floor} %`]);
  });

  it('when all files of the domain together are under its floor', () => {
    const good = fileOf(times(10, killed));
    const poor = fileOf(times(8, killed), [survivor]);
    const files = { [domainFile]: good, 'functions/domain/poor.ts': poor };
    expect(judge({ files }, []).faults).toContain('shared rules: 94.7 % killed is under the floor of 95 %');
  });

  it.each(['Survived', 'NoCoverage'])('when a survivor is not listed: %s', (status) => {
    const files = { [entry]: fileOf(times(99, killed), [{ ...survivor, status }]) };
    expect(judge({ files }, []).faults).toEqual([
      `survived: functions/worker/handler.ts:2 Mutator (${status}): second line → false`,
    ]);
  });

  it.each([{ line: 'first line' }, { file: domainFile }, { mutator: 'Other' }, { replacement: 'true' }])(
    'when a survivor is listed with another %j',
    (other) => {
      const files = { [entry]: fileOf(times(99, killed), [survivor]) };
      expect(judge({ files }, [{ ...equivalent, ...other }]).faults[0]).toMatch(/^survived: /);
    },
  );

  it.each([{ ...survivor, status: 'Killed' }, killed])('when a listed survivor was killed or is gone: %j', (mutant) => {
    const { faults } = judge({ files: { [entry]: fileOf([mutant]) } }, [equivalent]);
    expect(faults).toEqual([
      'not a survivor any more, take it off the list: functions/worker/handler.ts: second line → false',
    ]);
  });

  it('when the file of a listed survivor is gone', () => {
    const { faults } = judge({ files: { [domainFile]: fileOf([killed]) } }, [equivalent]);
    expect(faults).toHaveLength(1);
  });

  it('when nothing was mutated, or nothing that counts', () => {
    expect(judge({ files: {} }, []).faults).toEqual(['nothing was mutated']);
    expect(judge({ files: { [entry]: fileOf([{ status: 'RuntimeError' }]) } }, []).faults).toHaveLength(1);
  });
});

type Facts = { status: string; line?: number; replacement?: string };

function fileOf(...mutants: readonly (readonly Facts[])[]) {
  return {
    source: 'first line\n  second line\n',
    mutants: mutants.flat().map(({ status, line = 1, replacement = '' }) => ({
      ...{ mutatorName: 'Mutator', status, replacement },
      location: { start: { line } },
    })),
  };
}

function times(count: number, facts: Facts): readonly Facts[] {
  return Array.from({ length: count }, () => facts);
}
