import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import type { WatchedPipeline } from '../../support/emulators/watched-pipeline.ts';
import type { Item } from '../soak/record-differences.ts';
import { totalHours } from '../soak/soak.ts';
import { poisonPerQueue } from './deliver.ts';
import type { Delivery, History } from './histories.ts';
import { outcomesOf, type Reconciled, reconciliationErrors, recordErrors } from './record-checks.ts';

type Records = ReadonlyMap<string, Item>;

/** Returns what is wrong with the records after all deliveries. */
export function verifyRecords(records: Records, histories: readonly History[]): readonly string[] {
  const ids = new Set(histories.map(idOf));
  const nowMs = Date.now();
  return [
    ...[...records.keys()].filter((id) => !ids.has(id)).map((id) => `${id}: no event has this id`),
    ...histories.flatMap((history) => {
      const { status: _, ...record } = records.get(idOf(history)) ?? {};
      const errors = recordErrors(records.has(idOf(history)) ? record : undefined, history, nowMs);
      return errors.map((error) => `${idOf(history)}: ${error}`);
    }),
  ];
}

/** Returns what is wrong with the records after reconciliation, which must have found each lost event. Prints the outcomes. */
export function verifyReconciliation(
  before: Records,
  after: Records,
  histories: readonly History[],
): readonly string[] {
  const errors: string[] = [];
  const outcomes: { readonly line: string; readonly outcome: string }[] = [];
  for (const history of histories) {
    const id = idOf(history);
    const records: Reconciled = { before: before.get(id), after: after.get(id), shiftedMs: totalHours * 3_600_000 };
    errors.push(...reconciliationErrors(history, records).map((error) => `${id}: ${error}`));
    for (const [event, outcome] of outcomesOf(history, records))
      outcomes.push({ line: `${event} of ${id}: ${outcome}`, outcome });
  }
  const lost = histories.flat().filter(({ deliveries }) => deliveries.every(({ isLost }) => isLost));
  console.log(`${outcomes.length} events never acknowledged, ${lost.length} of them lost on purpose:`);
  for (const { line } of outcomes) console.log(`  never acknowledged: ${line}`);
  for (const [outcome, some] of Map.groupBy(outcomes, (of) => of.outcome)) console.log(`  ${outcome}: ${some.length}`);
  return [
    ...outcomes.filter(({ outcome }) => outcome === 'MISSING').map(({ line }) => line),
    ...errors,
    ...(outcomes.some(({ outcome }) => outcome === 'found') ? [] : ['reconciliation had no lost event to find']),
  ];
}

/** Returns what is wrong with the dead-letter queues, which must hold only the poison, and the quarantine, which must hold every unknown event. */
export async function verifyQueues(
  pipeline: WatchedPipeline,
  deliveries: readonly Delivery[],
): Promise<readonly string[]> {
  const states = (await pipeline.queueStates()).filter(({ event }) => event !== 'quarantine');
  const quarantined = await readBodies(pipeline, pipeline.queueOf('quarantine').url);
  return [
    ...states
      .filter(({ dead }) => dead !== poisonPerQueue)
      .map(({ event, dead }) => `${event}: ${dead} dead letters, expected ${poisonPerQueue}`),
    ...deliveries
      .filter(({ event, acknowledgedMs }) => event === 'unknown' && acknowledgedMs !== undefined)
      .filter(({ body }) => !quarantined.has(body))
      .map(({ ids }) => `lost: the unknown event of ${ids.userUpload} is not in the quarantine`),
  ];
}

async function readBodies({ sqs }: WatchedPipeline, QueueUrl: string): Promise<ReadonlySet<string>> {
  const bodies = new Set<string>();
  for (;;) {
    const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 3_600 });
    const { Messages = [] } = await sqs.send(command);
    if (Messages.length === 0) return bodies;
    for (const { Body = '' } of Messages) bodies.add(Body);
  }
}

function idOf(history: History): string {
  return history[0]?.ids.userUpload ?? '';
}
