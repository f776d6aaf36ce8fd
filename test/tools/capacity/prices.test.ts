import { expect, test } from 'vitest';
import { assume } from '../../../tools/capacity/assumptions.ts';
import { itemBytes } from '../../../tools/capacity/item-size.ts';
import { dollarsFor, type PriceName, prices } from '../../../tools/capacity/prices.ts';
import { quotas } from '../../../tools/capacity/quotas.ts';

test('a price is dollars for so many units', () => {
  expect(dollarsFor('sqsRequest', 2_500_000)).toBeCloseTo(1, 10);
  expect(dollarsFor('lambdaArm', 1_000_000)).toBeCloseTo(13.3334, 10);
  expect(dollarsFor('dashboard', 0)).toBe(0);
});

test('what exceeds a tier is priced by the next one, and only that', () => {
  expect(dollarsFor('httpApiRequest', 300_000_000)).toBeCloseTo(300, 10);
  expect(dollarsFor('httpApiRequest', 400_000_000)).toBeCloseTo(300 + 90, 10);
  // 333 at 3.50, then 667 at 2.80, then 500 at 2.38.
  expect(dollarsFor('restApiRequest', 1_500_000_000)).toBeCloseTo(1_165.5 + 1_867.6 + 1_190, 6);
});

test.each(Object.keys(prices) as PriceName[])('the price of %s has a source', (name) => {
  expect(prices[name].source).toMatch(/^https:\/\//);
  expect(prices[name].dollars).toBeGreaterThan(0);
});

test('each quota has a default, a source, and what to do about it', () => {
  for (const { usual, source, raise } of Object.values(quotas)) {
    expect(usual).toBeGreaterThan(0);
    expect(source).not.toBe('');
    expect(raise).not.toBe('');
  }
});

test('an assumption can be replaced, and nothing else can', () => {
  expect(assume(['ingestMs=20.5'])).toMatchObject({ ingestMs: 20.5, workerMs: assume().workerMs });
  expect(() => assume(['ingestMS=20'])).toThrow(
    /^--assume ingestMS=20 is not allowed: use NAME=NUMBER with one of ingestMs/,
  );
  expect(() => assume(['ingestMs=fast'])).toThrow('--assume ingestMs=fast is not allowed');
});

test('an item is as large as DynamoDB says', () => {
  // id + 36, n + 2 digits in a byte and 1, list: l + 3, 1 and 2 for its text; map: m + 3, 1, a + null.
  const item = { id: '-'.repeat(36), n: 42, l: ['é'], m: { a: null } };
  expect(itemBytes(item)).toBe(38 + (1 + 2) + (1 + 3 + 1 + 2) + (1 + 3 + 1 + 2));
});
