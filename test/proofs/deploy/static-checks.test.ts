import { expect, test } from 'vitest';
import { type Finding, type Reason, readReasons, unexplained } from './static-checks.ts';

const finding: Finding = {
  tool: 'checkov',
  rule: 'CKV_1',
  resource: 'IngestFunction6154D3E2',
  template: 'sandbox.template.json',
  message: 'Ensure that something is set',
};
const reason: Reason = { tool: 'checkov', rule: 'CKV_1', resources: 'IngestFunction\\w+', reason: 'It is not needed.' };

test('accepts a finding with a reason', () => {
  expect(unexplained([finding], [reason])).toEqual([]);
});

test('names a finding without a reason', () => {
  expect(unexplained([finding], [])).toEqual([
    'checkov CKV_1 IngestFunction6154D3E2 of sandbox.template.json: Ensure that something is set',
  ]);
});

test.each([
  ['the other tool', { tool: 'cfn-lint' }],
  ['another rule', { rule: 'CKV_2' }],
  ['another resource', { resources: 'useruploads\\w+' }],
  ['a part of the name', { resources: 'Function' }],
] as const)('does not accept a reason for %s', (_, other) => {
  expect(unexplained([finding], [{ ...reason, ...other }])).toHaveLength(2);
});

test('names a reason without a finding', () => {
  expect(unexplained([], [reason])).toEqual([
    'There is no finding checkov CKV_1 IngestFunction\\w+: remove its reason.',
  ]);
});

test('does not accept an empty reason', () => {
  expect(unexplained([finding], [{ ...reason, reason: ' ' }])).toEqual(['The reason of checkov CKV_1 is empty.']);
});

test('no two reasons are for the same rule and resources', () => {
  const keys = readReasons().map(({ tool, rule, resources }) => `${tool} ${rule} ${resources}`);
  expect(new Set(keys).size).toBe(keys.length);
});
