import type { ReconcileAnswer } from '../../../functions/reconciliation/handler.ts';
import type { ArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { idFrom } from '../../../tools/fake-argyle/ids.ts';
import type { OcrRun } from '../../../tools/fake-argyle/user-upload.ts';
import { seededRandom } from '../../support/builders/seeded-random.ts';
import { createTimeMachine } from '../../support/emulators/time-machine.ts';
import type { WatchedPipeline } from '../../support/emulators/watched-pipeline.ts';
import type { Connected } from '../connected-pipeline.ts';
import { recordDifferences } from './record-differences.ts';

/** The same seed creates the same documents and loses the same deliveries. */
export type SoakOptions = { readonly uploads: number; readonly seed: number };

type Print = (line: string) => void;

const dropRate = 0.05;

// Hours that pass before each reconciliation. It removes a record that is over a day old after two runs, 12 hours apart,
// did not find the document.
const hoursBefore = [25, 12, 24];

/** Hours by which `reconcileRepeatedly` moves back the times of records that existed before. */
export const totalHours = hoursBefore.reduce((sum, hours) => sum + hours, 0);

/** Uploads documents to an Argyle that loses deliveries, and reconciles. Returns the records that still differ. */
export async function soak(connected: Connected, options: SoakOptions, print: Print): Promise<readonly string[]> {
  const { pipeline, argyle } = connected;
  const { uploads, seed } = options;
  await argyle.setFaults({ dropDeliveries: dropRate, delayDeliveriesMs: 300, seed });
  await uploadDocuments(argyle, options);
  if (!(await argyle.settled(120_000))) throw new Error('Deliveries are still pending after two minutes.');
  await pipeline.drained();
  const { deliveries } = await argyle.state();
  print(`${uploads} documents, ${deliveries.sent} deliveries sent, ${deliveries.dropped} lost by Argyle`);

  const differences = await reconcileRepeatedly(connected, print);
  const { requests } = await argyle.state();
  print(`${requests.maxInOneSecond} requests to Argyle in the busiest second, including those of the workers`);
  return differences;
}

/** Reconciles three times as if days passed. Returns the records that still differ from Argyle. */
export async function reconcileRepeatedly({ pipeline, argyle }: Connected, print: Print): Promise<readonly string[]> {
  const time = createTimeMachine(pipeline);
  let differing = await differingRecords({ pipeline, argyle });
  print(`before: ${differing.length} records differ from Argyle`);
  try {
    for (const [index, hours] of hoursBefore.entries()) {
      await time.passHours(hours);
      const { counts } = await reconcileAndConfirm(pipeline, print);
      await pipeline.drained();
      differing = await differingRecords({ pipeline, argyle });
      print(`run ${index + 1}: ${JSON.stringify(counts)}; ${differing.length} records differ from Argyle`);
    }
    return differing;
  } finally {
    time.close();
  }
}

// One call at a time: the fake then draws its random numbers in the same order for the same seed.
async function uploadDocuments(argyle: ArgyleControl, { uploads, seed }: SoakOptions): Promise<void> {
  const random = seededRandom(seed);
  for (let number = 0; number < uploads; number += 1) {
    const userUpload = idFrom(`soak ${seed} ${number}`);
    await argyle.uploadDocument({ userUpload, fileName: `document ${number}.pdf` });
    for (const run of randomOcrRuns(random)) await argyle.runOcr(userUpload, run);
    if (random() < 0.3) await argyle.removeUpload(userUpload);
  }
}

function randomOcrRuns(random: () => number): OcrRun[] {
  const runs: OcrRun[] = [];
  if (random() < 0.3) runs.push({ result: 'failure', error: 'The page is blurred.' });
  if (random() < 0.6) runs.push({ result: 'success', documentType: 'W-2' });
  if (random() < 0.4) runs.push({ result: 'authenticity', score: Math.floor(random() * 101) });
  return runs;
}

// After the alarm about held removals, an operator checks Argyle and confirms their number. This function only confirms.
async function reconcileAndConfirm(pipeline: WatchedPipeline, print: Print) {
  const answer = await reconcile(pipeline, {});
  if (answer.counts.held === 0) return answer;
  print(`held, now confirmed: ${JSON.stringify(answer.counts)}`);
  return reconcile(pipeline, { confirmRemovals: answer.counts.held });
}

async function reconcile(pipeline: WatchedPipeline, payload: object) {
  const [schedule] = pipeline.schedules.values();
  const answer = (await schedule?.lambda.invoke(payload)) as ReconcileAnswer;
  if (answer.status !== 'done') throw new Error(`Reconciliation returned the status ${answer.status}.`);
  return answer;
}

async function differingRecords({ pipeline, argyle }: Connected): Promise<readonly string[]> {
  const records = await pipeline.readRecords();
  return (await argyle.readUploads()).flatMap((known) => {
    const differences = recordDifferences(records.get(known.userUpload), known);
    return differences.length > 0 ? [`${known.userUpload}: ${differences.join(', ')}`] : [];
  });
}
