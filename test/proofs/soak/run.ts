import { newSeed, printVerdict, readOptions } from '../command-line.ts';
import { withConnectedPipeline } from '../connected-pipeline.ts';
import { soak } from './soak.ts';

const usage = `usage: npm run proof -- soak [--uploads N] [--seed S]

Uploads N documents (default 2000) to a fake Argyle that loses 5 % of its deliveries, and reconciles three times. Between the
runs it moves stored times back, as if hours had passed. Then it compares every record with Argyle's state. The same seed
creates the same documents and loses the same deliveries.`;

const options = readOptions(usage, { uploads: 2_000, seed: newSeed() });
console.log(`seed ${options.seed}`);
const fake = { retryDelayMs: 1_000 };
const differing = await withConnectedPipeline({ fake }, (connected) => soak(connected, options, console.log));
printVerdict(differing, `every record matches Argyle (seed ${options.seed})`);
