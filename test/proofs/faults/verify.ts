import { isDeepStrictEqual } from 'node:util';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { eventTypes } from '../../../functions/domain/events.ts';
import type { WatchedPipeline } from '../../support/emulators/watched-pipeline.ts';
import { type Item, slots } from '../soak/record-differences.ts';
import { totalHours } from '../soak/soak.ts';
import { poison } from './deliver.ts';
import type { Delivery, History, UploadEvent } from './histories.ts';
import { isAcknowledged, reconciliationErrors, recordErrors } from './record-checks.ts';

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

/** Returns what reconciliation did wrong. It must find a lost event, and must not change what webhooks have written. */
export function verifyReconciliation(
  before: Records,
  after: Records,
  histories: readonly History[],
): readonly string[] {
  const shiftedMs = totalHours * 3_600_000;
  const errors = histories.flatMap((history) => {
    const id = idOf(history);
    const found = reconciliationErrors(history, { before: before.get(id), after: after.get(id), shiftedMs });
    return found.map((error) => `${id}: ${error}`);
  });
  const has = (records: Records, { ids, event }: UploadEvent) => records.get(ids.userUpload)?.[slots[event] ?? ''];
  const unacknowledged = histories.flat().filter((uploadEvent) => !isAcknowledged(uploadEvent));
  const found = unacknowledged.filter((uploadEvent) => !has(before, uploadEvent) && has(after, uploadEvent));
  console.log(`${unacknowledged.length} events never acknowledged, ${found.length} of them found by reconciliation`);
  return [...errors, ...(found.length > 0 ? [] : ['reconciliation found no lost event'])];
}

/** Checks that dead-letter queues contain only the poison, and that the quarantine contains every unknown event. */
export async function verifyQueues(
  pipeline: WatchedPipeline,
  deliveries: readonly Delivery[],
): Promise<readonly string[]> {
  const wrongDeadLetters: string[] = [];
  for (const event of eventTypes) {
    // A worker whose answer from SQS is lost sends a dead letter twice.
    const dead = await readBodies(pipeline, pipeline.queueOf(event).deadLetterUrl);
    if (!isDeepStrictEqual([...dead].sort(), [...poison]))
      wrongDeadLetters.push(`${event}: the dead letters are ${[...dead].join(', ')}`);
  }
  const quarantined = await readBodies(pipeline, pipeline.queueOf('quarantine').url);
  return [
    ...wrongDeadLetters,
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
