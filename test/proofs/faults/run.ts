import { parseArgs } from 'node:util';
import { documentMetrics } from '../../../functions/domain/metric-names.ts';
import { createArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { startFakeArgyle } from '../../../tools/fake-argyle/fake-argyle.ts';
import { synthesize } from '../../../tools/local/synthesize.ts';
import { seededRandom } from '../../support/builders/seeded-random.ts';
import { startWatchedPipeline } from '../../support/emulators/watched-pipeline.ts';
import { hoursOfDays, reconcileForDays } from '../soak/reconcile-for-days.ts';
import { deliverInTrouble } from './deliver-in-trouble.ts';
import { judgeReconciliation, judgeWebhooks } from './judge.ts';
import { deliveriesIn, makeLives } from './lives.ts';
import { createMetricSums } from './metric-sums.ts';
import { prepareQueues, queuesAreShort, wrongInQueues } from './queues.ts';
import { createTroubles } from './troubles.ts';

const usage = `usage: npm run test:faults -- [--deliveries N] [--seed S] [--retry-delay SECONDS]

Delivers N webhooks (default 100000) as Argyle does while engines and Argyle's API fail and functions die, then compares every
record with an oracle. Some events are lost on the way, both tries: reconciliation has to find each of them. The seed chooses
documents, deliveries, order and schedule. Argyle's 30 s before its retry are scaled to 2 s unless said.`;

const options = readOptions();
const secret = 'secret-of-the-faults';
const key = { apiKeyId: 'id', apiKeySecret: 'secret' };
console.log(`seed ${options.seed}: ${options.deliveries} deliveries`);
const assembly = await synthesize({ stage: 'sandbox', argyleCredentials: 'argyle/api-key' });
const fake = await startFakeArgyle({ port: 0, ...key });
try {
  const wrong = await run();
  for (const line of wrong) console.error(`  wrong: ${line}`);
  const verdict = wrong.length === 0 ? 'ok: nothing lost, nothing wrong, all found again' : 'FAILED';
  console.log(`${verdict} (seed ${options.seed})`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  await fake.stop();
  await assembly.remove();
}

async function run(): Promise<readonly string[]> {
  const control = createArgyleControl(fake.controlUrl);
  const troubles = createTroubles(control, seededRandom(options.seed + 1));
  const metrics = createMetricSums(Object.values(documentMetrics));
  const standIn = { ...fake, credentials: key };
  const pipeline = await startWatchedPipeline(assembly.directory, secret, troubles.disturb, standIn, metrics.readLine);
  try {
    // Forgets the subscription: what happens at the fake is delivered by this run.
    await control.reset();
    await prepareQueues(pipeline);
    const { lives, steps } = makeLives(options.deliveries, options.seed);
    const deliveries = deliveriesIn(steps);
    const argyle = {
      control,
      post: pipeline.post,
      connections: 16,
      retryDelayMs: options.retryDelaySeconds * 1_000,
      keepPace: () => queuesAreShort(pipeline),
    };
    await deliverInTrouble(pipeline, argyle, steps, troubles, metrics);
    const never = deliveries.filter(({ acknowledgedMs }) => acknowledgedMs === undefined);
    const unknown = never.filter(({ event }) => event === 'unknown');
    console.log(`${deliveries.length - never.length} acknowledged, ${never.length} never acknowledged`);
    // Argyle's list does not tell of them.
    for (const { ids } of unknown) console.log(`  never acknowledged: the unknown event of ${ids.userUpload}`);

    const { records, wrong } = await judgeWebhooks(pipeline, lives);
    const behind = await reconcileForDays({ pipeline, argyle: control }, console.log);
    return [
      ...wrong,
      ...behind,
      ...(await judgeReconciliation(pipeline, lives, records, { hours: hoursOfDays, say: console.log })),
      ...(await wrongInQueues(pipeline, deliveries)),
    ];
  } finally {
    await pipeline.stop();
  }
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      deliveries: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
      'retry-delay': { type: 'string', default: '2' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const [deliveries, seed, retryDelaySeconds] = [values.deliveries, values.seed, values['retry-delay']].map(Number);
  if (!deliveries || seed === undefined || Number.isNaN(seed) || Number.isNaN(retryDelaySeconds))
    throw new Error(usage);
  return { deliveries, seed, retryDelaySeconds: retryDelaySeconds ?? 2 };
}
