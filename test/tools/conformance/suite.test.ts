import { expect, test } from 'vitest';
import { runSuite, suite } from '../../../tools/conformance/suite.ts';
import { flaws } from './flaws.ts';
import { reference } from './reference.ts';
import { serve } from './serve.ts';

const names = suite.map(({ name }) => name);

test('a correct receiver passes every check', async () => {
  const { receiver, observer, stop } = await serve(reference);
  const results = await runSuite(receiver, observer);
  await stop();

  expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
  expect(results.map(({ name }) => name)).toEqual(names);
});

test('every check has a unique name, and a flawed receiver that fails it', () => {
  const failed = new Set(flaws.flatMap(({ fails }) => fails));

  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !failed.has(name))).toEqual([]);
});

test.each(flaws)('a receiver that $name fails the check', async ({ fails, steps }) => {
  const { receiver, observer, stop } = await serve({ ...reference, ...steps });
  const results = await runSuite(receiver, observer, { checks: suite.filter(({ name }) => fails.includes(name)) });
  await stop();

  expect(results.map(({ name, outcome }) => ({ name, outcome }))).toEqual(
    names.filter((name) => fails.includes(name)).map((name) => ({ name, outcome: 'failed' })),
  );
  // A receiver that does not answer fails every check, which would prove nothing.
  expect(results.filter(({ detail }) => detail?.includes('no answer within'))).toEqual([]);
});
