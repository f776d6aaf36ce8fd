import type { ReconcileAnswer } from '../../functions/reconcile.ts';
import type { ArgyleControl } from '../../local/argyle/control.ts';
import { idFrom } from '../../local/argyle/ids.ts';
import type { OcrRun } from '../../local/argyle/user-upload.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { createTimeMachine } from '../support/time-machine.ts';
import type { WatchedPipeline } from '../support/watched-pipeline.ts';
import { wrongWithRecord } from './truth.ts';

/** The pipeline beside the fake Argyle that it subscribed at. */
export type Soaked = { readonly pipeline: WatchedPipeline; readonly argyle: ArgyleControl };

/** How large, and which one: the same seed makes the same documents and loses the same deliveries. */
export type SoakOptions = { readonly uploads: number; readonly seed: number; readonly say: (line: string) => void };

const droppedShare = 0.05;

/** Lets Argyle lose deliveries, then reconciles as a week of schedules would. Gives what is wrong in the end. */
export async function soak({ pipeline, argyle }: Soaked, options: SoakOptions): Promise<readonly string[]> {
  const { uploads, seed, say } = options;
  const time = createTimeMachine(pipeline);
  try {
    await argyle.setFaults({ dropDeliveries: droppedShare, delayDeliveriesMs: 300, seed });
    await live(argyle, uploads, seed);
    if (!(await argyle.settled(120_000))) throw new Error('Deliveries have no outcome after two minutes.');
    await pipeline.drained();
    const { deliveries } = await argyle.state();
    const wrongBefore = await wrongRecords(pipeline, argyle);
    say(`${uploads} documents, ${deliveries.sent} deliveries sent, ${deliveries.dropped} lost by Argyle`);
    say(`before: ${wrongBefore.length} records are not as Argyle has them`);

    for (const [name, hours] of [
      ['first run', 25],
      ['second run', 12],
      ['third run', 24],
    ] as const) {
      await time.passHours(hours);
      const { counts } = await reconcileAsAnOperatorWould(pipeline, say);
      await pipeline.drained();
      const left = await wrongRecords(pipeline, argyle);
      say(`${name}: ${JSON.stringify(counts)}; ${left.length} records are not as Argyle has them`);
    }
    const { requests } = await argyle.state();
    say(`${requests.mostInOneSecond} requests to Argyle in the busiest second, the workers' among them`);
    return wrongRecords(pipeline, argyle);
  } finally {
    time.close();
  }
}

// One call at a time, so that the fake draws in the same order whenever the seed is the same.
async function live(argyle: ArgyleControl, uploads: number, seed: number): Promise<void> {
  const random = seededRandom(seed);
  for (let number = 0; number < uploads; number += 1) {
    const userUpload = idFrom(`soak ${seed} ${number}`);
    await argyle.uploadDocument({ userUpload, fileName: `document ${number}.pdf` });
    for (const run of ocrRuns(random)) await argyle.runOcr(userUpload, run);
    if (random() < 0.3) await argyle.removeUpload(userUpload);
  }
}

function ocrRuns(random: () => number): OcrRun[] {
  const runs: OcrRun[] = [];
  if (random() < 0.3) runs.push({ result: 'failure', error: 'The page is blurred.' });
  if (random() < 0.6) runs.push({ result: 'success', documentType: 'W-2' });
  if (random() < 0.4) runs.push({ result: 'authenticity', score: Math.floor(random() * 101) });
  return runs;
}

// Whoever is alarmed that removals are held looks at Argyle and confirms as many.
async function reconcileAsAnOperatorWould(pipeline: WatchedPipeline, say: (line: string) => void) {
  const answer = await reconcile(pipeline, {});
  if (answer.counts.held === 0) return answer;
  say(`held, now confirmed: ${JSON.stringify(answer.counts)}`);
  return reconcile(pipeline, { confirmRemovals: answer.counts.held });
}

async function reconcile(pipeline: WatchedPipeline, payload: object) {
  const [schedule] = pipeline.schedules.values();
  const answer = (await schedule?.lambda.invoke(payload)) as ReconcileAnswer;
  if (answer.status !== 'done') throw new Error(`The run came to ${answer.status}.`);
  return answer;
}

async function wrongRecords(pipeline: WatchedPipeline, argyle: ArgyleControl): Promise<readonly string[]> {
  const { uploads } = (await (await pipeline.fetchConsole('/console/state')).json()) as {
    uploads: { userUpload: string }[];
  };
  const records = new Map(uploads.map((record) => [record.userUpload, record]));
  return (await argyle.readUploads()).flatMap((known) => {
    const wrong = wrongWithRecord(records.get(known.userUpload), known);
    return wrong.length > 0 ? [`${known.userUpload}: ${wrong.join(', ')}`] : [];
  });
}
