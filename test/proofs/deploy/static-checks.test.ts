import { describe, expect, test } from 'vitest';
import { type Finding, type Reason, readReasons, unexplained } from './static-checks.ts';

const finding: Finding = {
  tool: 'checkov',
  rule: 'CKV_1',
  resource: 'IngestFunction6154D3E2',
  template: 'sandbox.template.json',
  message: 'Ensure that something is set',
};
const reason: Reason = { tool: 'checkov', rule: 'CKV_1', resources: 'IngestFunction\\w+', reason: 'It is not needed.' };

describe('what the linters of the template say', () => {
  test('is accepted when a reason is written for it', () => {
    expect(unexplained([finding], [reason])).toEqual([]);
  });

  test('is named when there is no reason', () => {
    expect(unexplained([finding], [])).toEqual([
      'checkov CKV_1 IngestFunction6154D3E2 of sandbox.template.json: Ensure that something is set',
    ]);
  });

  test.each([
    ['the other tool', { tool: 'cfn-lint' }],
    ['another rule', { rule: 'CKV_2' }],
    ['another resource', { resources: 'useruploads\\w+' }],
    ['a part of the name only', { resources: 'Function' }],
  ] as const)('is not excused by a reason for %s', (_, other) => {
    expect(unexplained([finding], [{ ...reason, ...other }])).toHaveLength(2);
  });

  test('makes a reason that explains nothing any more a fault', () => {
    expect(unexplained([], [reason])).toEqual([
      'There is no finding checkov CKV_1 IngestFunction\\w+: take its reason out.',
    ]);
  });

  test('is not excused by an empty reason', () => {
    expect(unexplained([finding], [{ ...reason, reason: ' ' }])).toEqual(['The reason of checkov CKV_1 is empty.']);
  });

  test('is excused once: no two written reasons are for the same rule and resources', () => {
    const keys = readReasons().map(({ tool, rule, resources }) => `${tool} ${rule} ${resources}`);
    expect(new Set(keys).size).toBe(keys.length);
  });
});
