import type { ReconcileAnswer } from '../../../functions/reconciliation/handler.ts';
import type { ArgyleControl } from '../../../tools/fake-argyle/control.ts';
import { createTimeMachine } from '../../support/emulators/time-machine.ts';
import type { WatchedPipeline } from '../../support/emulators/watched-pipeline.ts';
import { wrongWithRecord } from './truth.ts';

/** The pipeline beside the fake Argyle that has the truth. */
export type Connected = { readonly pipeline: WatchedPipeline; readonly argyle: ArgyleControl };

// Before each run. A record is removed once it is over a day old and two runs, twelve hours apart, have missed it.
const runs = [
  ['first run', 25],
  ['second run', 12],
  ['third run', 24],
] as const;

/** How many hours pass in all: times that were written before are so much earlier afterwards. */
export const hoursOfDays = runs.reduce((sum, [, hours]) => sum + hours, 0);

/** Reconciles as some days of schedules would. Gives what is still not as Argyle has it. */
export async function reconcileForDays(
  { pipeline, argyle }: Connected,
  say: (line: string) => void,
): Promise<readonly string[]> {
  const time = createTimeMachine(pipeline);
  let wrong = await wrongRecords({ pipeline, argyle });
  say(`before: ${wrong.length} records are not as Argyle has them`);
  try {
    for (const [name, hours] of runs) {
      await time.passHours(hours);
      const { counts } = await reconcileAsAnOperatorWould(pipeline, say);
      await pipeline.drained();
      wrong = await wrongRecords({ pipeline, argyle });
      say(`${name}: ${JSON.stringify(counts)}; ${wrong.length} records are not as Argyle has them`);
    }
    return wrong;
  } finally {
    time.close();
  }
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

async function wrongRecords({ pipeline, argyle }: Connected): Promise<readonly string[]> {
  const records = await pipeline.readRecords();
  return (await argyle.readUploads()).flatMap((known) => {
    const wrong = wrongWithRecord(records.get(known.userUpload), known);
    return wrong.length > 0 ? [`${known.userUpload}: ${wrong.join(', ')}`] : [];
  });
}
