import { expect, test } from 'vitest';
import { mutatedFiles, testsOf } from './mutated-files.ts';

test('all functions and the moves of messages are mutated', () => {
  const files = mutatedFiles();
  expect(files).toEqual(
    expect.arrayContaining([
      'functions/aws/clients.ts',
      'functions/domain/envelope.ts',
      'functions/reconciliation/handler.ts',
      'functions/worker/upload-store.ts',
      'tools/cli/messages.ts',
      'tools/messages/dead-messages.ts',
      'tools/messages/move-messages.ts',
    ]),
  );
  expect(files.filter((file) => !/^functions\/|messages\.ts$/.test(file))).toEqual([]);
});

test.each(['functions/record-changes', 'functions/record-changes/'])('a folder selects its files: %s', (part) => {
  expect(mutatedFiles([part, 'functions/aws/lease.ts'])).toEqual([
    'functions/aws/lease.ts',
    'functions/record-changes/handler.ts',
    'functions/record-changes/record-change.ts',
    'functions/record-changes/stream-record-reader.ts',
  ]);
});

test.each(['functions/record', 'infra', 'functions/domain/metric-names.ts'])('%s is an error', (part) => {
  expect(() => mutatedFiles([part])).toThrow(`The mutation proof changes no file in "${part}".`);
});

test('the tests of a feature are those of its folder; those of shared code are the tests of all functions', () => {
  const always = 'test/{catalogue,handlers}.test.ts';
  expect(testsOf(mutatedFiles(['functions/worker']))).toEqual(['test/functions/worker/**/*.test.ts', always]);
  expect(testsOf(['functions/aws/lease.ts'])).toEqual(['test/functions/**/*.test.ts', always]);
  expect(testsOf(['tools/cli/messages.ts'])).toEqual(['test/tools/{messages,cli}/*.test.ts', always]);
});
