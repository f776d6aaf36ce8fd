import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DynamoDBClient,
  paginateScan,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { type Miss, missIdPrefix, removalsOf } from '../../functions/domain/miss.ts';
import { removalSlot } from '../../functions/domain/upload-record.ts';
import { readRecord } from './records.ts';
import { type Report, tableOf } from './report.ts';
import { type Target, UsageError } from './target.ts';

/** A removal that reconciliation queued and that its record still shows. */
type Removal = { readonly userUpload: string; readonly run: string; readonly removedAt: string };

// Records are read and restored this many at a time.
const concurrency = 25;

/**
 * Undoes the removals of one run of reconciliation, or lists the runs whose removals can be undone. An earlier removal by
 * a webhook is not undone. A later one left no trace. Repeating the command is safe. The next reconciliation, or the next event, fetches each document again.
 */
export async function restore(
  target: Target,
  report: Report,
  run: string | undefined,
  { dryRun, yes }: { readonly dryRun?: boolean; readonly yes?: boolean },
): Promise<void> {
  const { stateTableName } = target;
  if (!stateTableName)
    throw new UsageError(
      'This stack has no output StateTableName: it has no credentials for Argyle, so it never reconciled, or it must be deployed with this version first.',
    );
  const dynamodb = new DynamoDBClient(target.clientOptions('DYNAMODB'));
  const removals = await findRemovals(dynamodb, stateTableName, target.uploadTableName);
  if (run === undefined) return listRuns(report, removals);
  const chosen = removals.filter((removal) => removal.run === run);
  if (chosen.length === 0) return report.result({ restored: 0 }, `No record is removed by the run ${run}.`);
  const consequences = `${chosen.length} records that the run ${run} removed become valid again.`;
  if (dryRun) {
    const text = `${tableOf(columns, chosen)}\n\n${consequences} This is a dry run: nothing was changed.`;
    return report.result({ wouldRestore: chosen }, text);
  }
  report.remark(tableOf(columns, chosen));
  if (!(await report.confirm(consequences, yes))) return report.result({ restored: 0 }, 'Nothing was changed.');
  const results = await inGroups(chosen, (removal) => restoreRecord(dynamodb, target.uploadTableName, removal));
  const restored = results.filter(Boolean).length;
  const text = `${restored} restored. To fetch their documents again, run ${target.command} reconcile.`;
  report.result({ restored, unchanged: results.length - restored }, text);
}

const columns = { userUpload: 'upload', removedAt: 'removed' };

function listRuns(report: Report, removals: readonly Removal[]): void {
  const groups = Object.entries(Object.groupBy(removals, ({ run }) => run));
  const rows = groups.map(([run, group = []]) => ({
    run,
    from: group.map(({ removedAt }) => removedAt).sort()[0],
    records: group.length,
  }));
  const text = tableOf({ run: 'run', from: 'removed from', records: 'records' }, rows);
  rows.sort((one, other) => String(one.from).localeCompare(String(other.from)));
  report.result(rows, rows.length > 0 ? text : 'No record is removed by a reconciliation.');
}

// The state table notes every removal before it is queued. A record shows it unless a webhook had removed it earlier, the removal is
// still queued, or it was restored.
async function findRemovals(client: DynamoDBClient, stateTable: string, uploadTable: string): Promise<Removal[]> {
  const pages = paginateScan(
    { client },
    {
      TableName: stateTable,
      FilterExpression:
        'begins_with(id, :prefix) AND (attribute_exists(removedAt) OR attribute_exists(earlierRemovals))',
      ExpressionAttributeValues: { ':prefix': { S: missIdPrefix } },
    },
  );
  const noted: Removal[] = [];
  for await (const { Items = [] } of pages) noted.push(...Items.flatMap(notedIn));
  const records = await inGroups(noted, ({ userUpload }) => readRecord(client, uploadTable, userUpload));
  return noted.filter(({ removedAt }, index) => records[index]?.[removalSlot] === removedAt);
}

function notedIn(item: Record<string, AttributeValue>): readonly Removal[] {
  const { id, ...miss } = unmarshall(item) as Miss & { readonly id: string };
  return removalsOf(miss).map((removal) => ({ userUpload: id.slice(missIdPrefix.length), ...removal }));
}

// Returns whether the record was changed.
async function restoreRecord(client: DynamoDBClient, TableName: string, removal: Removal): Promise<boolean> {
  const command = new UpdateItemCommand({
    TableName,
    Key: { userUpload: { S: removal.userUpload } },
    UpdateExpression: 'REMOVE #removedAt, #expiresAt',
    ConditionExpression: '#removedAt = :removedAt',
    ExpressionAttributeNames: { '#removedAt': removalSlot, '#expiresAt': 'expiresAt' },
    ExpressionAttributeValues: { ':removedAt': { S: removal.removedAt } },
  });
  try {
    await client.send(command);
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

async function inGroups<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>) {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += concurrency)
    results.push(...(await Promise.all(items.slice(start, start + concurrency).map(work))));
  return results;
}
