import { parseArgs } from 'node:util';
import { createArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { startFakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';
import { synthesize } from '../../../tools/local/synthesize.ts';
import { startWatchedPipeline } from '../../support/emulators/watched-pipeline.ts';
import { soak } from './soak.ts';

const usage = `usage: npm run test:soak -- [--uploads N] [--seed S]

Runs the local pipeline beside a fake Argyle that loses 5 % of its deliveries, lets N documents (default 2000) live there, and
reconciles three times, with hours passing in between by making what is written older. Then compares every record with what
Argyle has. The same seed makes the same documents and loses the same deliveries.`;

const options = readOptions();
const secret = 'secret-of-the-soak';
const key = { apiKeyId: 'id', apiKeySecret: 'secret' };
console.log(`seed ${options.seed}`);
const assembly = await synthesize({ stage: 'sandbox', argyleCredentials: 'argyle/api-key' });
const fake = await startFakeArgyle({ port: 0, ...key, retryDelayMs: 1_000 });
try {
  process.exitCode = await run();
} finally {
  await fake.stop();
  await assembly.remove();
}

async function run(): Promise<number> {
  const standIn = { ...fake, credentials: key };
  const pipeline = await startWatchedPipeline(assembly.directory, secret, undefined, standIn);
  try {
    const argyle = createArgyleControl(fake.controlUrl);
    const wrong = await soak({ pipeline, argyle }, { ...options, say: console.log });
    for (const line of wrong) console.error(`  wrong: ${line}`);
    console.log(wrong.length === 0 ? `ok: every record is as Argyle has it (seed ${options.seed})` : 'FAILED');
    return wrong.length === 0 ? 0 : 1;
  } finally {
    await pipeline.stop();
  }
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      uploads: { type: 'string', default: '2000' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const [uploads = 0, seed = Number.NaN] = [values.uploads, values.seed].map(Number);
  if (!Number.isInteger(uploads) || uploads < 1 || !Number.isInteger(seed)) throw new Error(usage);
  return { uploads, seed };
}
