import { expect } from 'vitest';
import { runSuite, suite } from '../../../../tools/conformance/suite.ts';
import { reference } from '../reference.ts';
import { serve } from '../serve.ts';
import type { Flaw } from './flaw.ts';

// More than half of the suite's time: only where one of them must fail.
const costly = [
  'keeps in the quarantine what it says it does',
  'ends in the same record in any order',
  'records nothing of what it refuses',
  'queues nothing of what it refuses',
  'refuses one byte more as too large',
  'survives a body of 11 MiB',
  'takes a body that comes slowly, and serves others meanwhile',
  'takes 32 connections at once',
];

/** Fails unless exactly the expected checks fail, and none of them only because nothing was answered. */
export async function expectCaught({ steps, maxConnections, caughtBy }: Flaw): Promise<void> {
  const served = await serve({ ...reference, ...steps() }, maxConnections);
  try {
    const checks = suite.filter(({ name }) => caughtBy.includes(name) || !costly.includes(name));
    const results = await runSuite(served.receiver, served.observer, { checks });
    const failed = results.filter(({ outcome }) => outcome !== 'passed');
    const silent = failed.filter(({ detail }) => detail?.includes('no answer within'));

    expect(failed.map(({ name }) => name).sort()).toEqual([...caughtBy].sort());
    expect(silent).toEqual([]);
  } finally {
    await served.stop();
  }
}
