import { startVitest } from 'vitest/node';
import { newSeed, readOptions } from '../command-line.ts';

const usage = `usage: npm run proof -- fuzz [--cases N] [--seed S]

Sends N hostile inputs (default 1000000), half of them to ingest and half to a worker, and reads half as many hostile entries of
Argyle's list. The same seed creates the same inputs.`;

const options = readOptions(usage, { cases: 1_000_000, seed: newSeed() });
process.env.FUZZ_CASES = String(options.cases);
process.env.FUZZ_SEED = String(options.seed);
const vitest = await startVitest('test', ['test/proofs/fuzz'], { watch: false, globalSetup: [] });
await vitest.close();
