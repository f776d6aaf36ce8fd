import { afterAll, beforeAll, expect, test } from 'vitest';
import { runSuite, suite } from '../../../tools/conformance/suite.ts';
import { acceptsForgeries } from './flaws/accepts-forgeries.ts';
import { changesBytes } from './flaws/changes-bytes.ts';
import { failsOpen } from './flaws/fails-open.ts';
import { losesInTrouble } from './flaws/loses-in-trouble.ts';
import { misreadsHttp } from './flaws/misreads-http.ts';
import { recordsOtherwise } from './flaws/records-otherwise.ts';
import { refusesTheUnknown } from './flaws/refuses-the-unknown.ts';
import { refusesTooMuch } from './flaws/refuses-too-much.ts';
import { reference } from './reference.ts';
import { serve } from './serve.ts';

let served: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  served = await serve(reference);
});
afterAll(() => served.stop());

const flaws = [
  ...refusesTooMuch,
  ...acceptsForgeries,
  ...failsOpen,
  ...changesBytes,
  ...refusesTheUnknown,
  ...recordsOtherwise,
  ...losesInTrouble,
  ...misreadsHttp,
];
const names = suite.map(({ name }) => name);

test('a receiver without a flaw passes every check', async () => {
  const results = await runSuite(served.receiver, served.observer);

  expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
  expect(results.map(({ name }) => name)).toEqual(names);
});

test('without an observer, what nobody can see is reported as such and never as passed', async () => {
  const results = await runSuite(served.receiver, {});

  const observed = suite.filter(({ needs }) => needs.length > 0).map(({ name }) => name);
  expect(results.filter(({ outcome }) => outcome === 'not_observable').map(({ name }) => name)).toEqual(observed);
  expect(results.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  expect(results.find(({ outcome }) => outcome === 'not_observable')?.detail).toMatch(/^needs read/);
});

test('every check has a name of its own, and catches a flawed receiver', () => {
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => !flaws.some(({ caughtBy }) => caughtBy.includes(name)))).toEqual([]);
});
