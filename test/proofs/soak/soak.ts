import type { ArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { idFrom } from '../../../tools/fake-argyle/ids.ts';
import type { OcrRun } from '../../../tools/fake-argyle/user-upload.ts';
import { seededRandom } from '../../support/builders/seeded-random.ts';
import { type Connected, reconcileForDays } from './reconcile-for-days.ts';

/** How large, and which one: the same seed makes the same documents and loses the same deliveries. */
export type SoakOptions = { readonly uploads: number; readonly seed: number; readonly say: (line: string) => void };

const droppedShare = 0.05;

/** Lets Argyle lose deliveries, then reconciles. Gives what is wrong in the end. */
export async function soak({ pipeline, argyle }: Connected, options: SoakOptions): Promise<readonly string[]> {
  const { uploads, seed, say } = options;
  await argyle.setFaults({ dropDeliveries: droppedShare, delayDeliveriesMs: 300, seed });
  await live(argyle, uploads, seed);
  if (!(await argyle.settled(120_000))) throw new Error('Deliveries have no outcome after two minutes.');
  await pipeline.drained();
  const { deliveries } = await argyle.state();
  say(`${uploads} documents, ${deliveries.sent} deliveries sent, ${deliveries.dropped} lost by Argyle`);

  const wrong = await reconcileForDays({ pipeline, argyle }, say);
  const { requests } = await argyle.state();
  say(`${requests.maxInOneSecond} requests to Argyle in the busiest second, the workers' among them`);
  return wrong;
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
