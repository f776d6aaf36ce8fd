import { documentMetrics } from '../../../functions/domain/metric-names.ts';
import { seededRandom } from '../../support/builders/seeded-random.ts';
import { newSeed, printVerdict, readOptions } from '../command-line.ts';
import { type Connected, withConnectedPipeline } from '../connected-pipeline.ts';
import { reconcileRepeatedly } from '../soak/soak.ts';
import { deliver, prepareQueues } from './deliver.ts';
import { createFaultSchedule, noDeliveries } from './fault-schedule.ts';
import { createHistories, type Delivery, deliveriesIn, type Step } from './histories.ts';
import { misleadReconciliation } from './misleading-argyle.ts';
import { verifyQueues, verifyReconciliation, verifyRecords } from './verify.ts';

const usage = `usage: npm run proof -- faults [--deliveries N] [--seed S] [--retry-delay SECONDS]

Delivers N webhooks (default 100000) as Argyle does while SQS, DynamoDB, Secrets Manager and Argyle's API fail and functions
are killed or throttled, then checks every record. Some events are lost with both tries: reconciliation must find each of them,
and must change nothing with a key of another workspace or a list without an end. The seed determines documents, deliveries,
their order and the faults. The 30 s before Argyle's retry are 2 s by default.`;

const options = readOptions(usage, { deliveries: 100_000, seed: newSeed(), 'retry-delay': 2 });
console.log(`seed ${options.seed}: ${options.deliveries} deliveries`);
const faults = createFaultSchedule(seededRandom(options.seed + 1));
const metrics = new Map<string, number>();
const printedMetric = new RegExp(`"(${Object.values(documentMetrics).join('|')})":(\\d+)`, 'g');
const errors = await withConnectedPipeline({ ...faults, readLine: addMetrics }, run);
printVerdict(errors, `nothing is lost or wrong, and reconciliation found every lost event (seed ${options.seed})`);

async function run(connected: Connected): Promise<readonly string[]> {
  const { pipeline, argyle } = connected;
  await argyle.setFaults(noDeliveries);
  await prepareQueues(pipeline);
  const { histories, steps } = createHistories(options.deliveries, options.seed);
  const deliveries = deliveriesIn(steps);
  await deliverWithFaults(connected, steps, deliveries);
  printAcknowledged(deliveries);

  const records = await pipeline.readRecords();
  const recordErrors = verifyRecords(records, histories);
  const misleadingErrors = await misleadReconciliation(connected);
  const differences = await reconcileRepeatedly(connected, console.log);
  const reconciliationErrors = verifyReconciliation(records, await pipeline.readRecords(), histories);
  const queueErrors = await verifyQueues(pipeline, deliveries);
  return [...recordErrors, ...misleadingErrors, ...differences, ...reconciliationErrors, ...queueErrors];
}

async function deliverWithFaults(connected: Connected, steps: readonly Step[], deliveries: readonly Delivery[]) {
  const { pipeline, argyle } = connected;
  const printProgress = () => console.log(`  ${deliveries.filter(({ firstSentMs }) => firstSentMs > 0).length} sent`);
  const progress = setInterval(printProgress, 60_000);
  const end = new AbortController();
  const injecting = faults.run(connected, end.signal);
  const startedMs = Date.now();
  await deliver(connected, steps, options['retry-delay'] * 1_000);
  const sentMs = Date.now();
  clearInterval(progress);
  end.abort();
  await injecting;
  await pipeline.drained();
  console.log(`delivered in ${seconds(sentMs - startedMs)} s, queues empty ${seconds(Date.now() - sentMs)} s later`);
  const { requests } = await argyle.state();
  const counts = [...faults.counts, ...Object.entries(requests.byAnswer), ...metrics];
  for (const [name, count] of counts) if (count > 0) console.log(`  ${name}: ${count}`);
}

// The lines of a long run are too many to be kept.
function addMetrics(line: string): void {
  for (const [, name = '', value] of line.matchAll(printedMetric))
    metrics.set(name, (metrics.get(name) ?? 0) + Number(value));
}

function printAcknowledged(deliveries: readonly Delivery[]): void {
  const refused = deliveries.filter(({ acknowledgedMs }) => acknowledgedMs === undefined);
  console.log(`${deliveries.length - refused.length} acknowledged, ${refused.length} never acknowledged`);
  // Reconciliation cannot find these: Argyle's list does not contain them.
  for (const { ids, event } of refused)
    if (event === 'unknown') console.log(`  never acknowledged: the unknown event of ${ids.userUpload}`);
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(1);
}
