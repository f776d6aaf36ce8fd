import { startVitest } from 'vitest/node';

// The nightly run: a million inputs, with a seed of its own that is printed in the tests' names and replays.
process.env.FUZZ_CASES ??= '1000000';
process.env.FUZZ_SEED ??= String(Math.floor(Math.random() * 1e9));
const vitest = await startVitest('test', ['test/proofs/fuzz'], { watch: false, globalSetup: [] });
await vitest.close();
