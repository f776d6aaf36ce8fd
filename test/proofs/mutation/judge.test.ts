import { expect, test } from 'vitest';
import { judge } from './judge.ts';

const rules = 'functions/ingest/signature.ts';
const entry = 'functions/worker/handler.ts';
const killed = { status: 'Killed' };
const survivor = { status: 'Survived', line: 2, replacement: 'false' };
const equivalent = { file: entry, mutator: 'Mutator', line: 'second line', replacement: 'false', reason: 'the same' };

test('a report passes when each group reaches its floor and all survivors are listed', () => {
  const files = { [entry]: fileOf(times(17, killed), times(3, survivor)), [rules]: fileOf(times(9, killed)) };
  expect(judge({ files }, [equivalent])).toEqual({
    scores: [
      'functions/worker/handler.ts: 85.0 % killed of 20 mutants (0 by time-out, 3 survived), floor 85 %',
      'shared rules: 100.0 % killed of 9 mutants (0 by time-out, 0 survived), floor 95 %',
    ],
    errors: [],
  });
});

test('a time-out kills a mutant, and mutants that do not load do not count', () => {
  const files = { [entry]: fileOf([{ status: 'Timeout' }, { status: 'RuntimeError' }, { status: 'CompileError' }]) };
  expect(judge({ files }, [])).toEqual({
    scores: ['functions/worker/handler.ts: 100.0 % killed of 1 mutants (1 by time-out, 0 survived), floor 85 %'],
    errors: [],
  });
});

test.each([
  { file: rules, group: 'shared rules', kills: 18, percent: '94.7', floor: 95 },
  { file: entry, group: entry, kills: 5, percent: '83.3', floor: 85 },
])('$group fails below its floor although the survivor is listed', ({ file, group, kills, percent, floor }) => {
  const files = { [file]: fileOf(times(kills, killed), [survivor]) };
  const { errors } = judge({ files }, [{ ...equivalent, file }]);
  expect(errors).toEqual([`${group}: ${percent} % killed is under the floor of ${floor} %`]);
});

test('all shared rules together must reach their floor', () => {
  const poor = fileOf(times(8, killed), [survivor]);
  const files = { [rules]: fileOf(times(10, killed)), 'functions/domain/poor.ts': poor };
  expect(judge({ files }, []).errors).toContain('shared rules: 94.7 % killed is under the floor of 95 %');
});

test.each(['Survived', 'NoCoverage'])('a survivor that is not listed fails: %s', (status) => {
  const files = { [entry]: fileOf(times(99, killed), [{ ...survivor, status }]) };
  expect(judge({ files }, []).errors).toEqual([
    `survived: functions/worker/handler.ts:2 Mutator (${status}): second line → false`,
  ]);
});

test.each([{ line: 'first line' }, { file: rules }, { mutator: 'Other' }, { replacement: 'true' }])(
  'a survivor that is listed with another %j fails',
  (other) => {
    const files = { [entry]: fileOf(times(99, killed), [survivor]) };
    expect(judge({ files }, [{ ...equivalent, ...other }]).errors[0]).toMatch(/^survived: /);
  },
);

test.each([{ [entry]: fileOf([{ ...survivor, status: 'Killed' }]) }, { [rules]: fileOf([killed]) }])(
  'a listed survivor that was killed, or whose file is gone, fails',
  (files) => {
    expect(judge({ files }, [equivalent]).errors).toEqual([
      'no longer survives, remove it from the list: functions/worker/handler.ts: second line → false',
    ]);
  },
);

test('a report without a mutant that counts fails', () => {
  expect(judge({ files: {} }, []).errors).toEqual(['nothing was mutated']);
  expect(judge({ files: { [entry]: fileOf([{ status: 'RuntimeError' }]) } }, []).errors).toHaveLength(1);
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
