import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, type NativeAttributeValue, unmarshall } from '@aws-sdk/util-dynamodb';
import { callDeadline } from '../aws/clients.ts';
import { updateIf } from '../aws/conditional-update.ts';
import { releaseLease, takeLease } from '../aws/lease.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import { type Miss, missIdPrefix } from '../domain/miss.ts';
import { chunkDays, missDays } from '../domain/reconciliation-times.ts';
import type { Run } from './run.ts';

/** The saved run, and the id of the last run that completed its checks. */
export type SavedState = { readonly run?: Run; readonly previousRun?: string };

/** `listed`: all uploads that Argyle lists. `candidates`: records that may have to be removed. */
export type ChunkKind = 'listed' | 'candidates';

/** The saved state of reconciliation. All functions throw when DynamoDB fails. */
export type ReconciliationState = {
  /** Takes the lease, or returns `busy` when another owner has it. An owner may take its own lease again. */
  readonly acquire: (owner: string, nowMs: number, expiresAtMs: number) => Promise<SavedState | 'busy'>;
  /** Saves the run. Throws when another owner has taken the lease. */
  readonly save: (owner: string, run: Run, previousRun: string | undefined) => Promise<void>;
  readonly release: (owner: string) => Promise<void>;
  readonly saveChunk: (run: Run, kind: ChunkKind, index: number, ids: Uint8Array) => Promise<void>;
  /** Throws when the chunk does not exist. */
  readonly readChunk: (run: Run, kind: ChunkKind, index: number) => Promise<Uint8Array>;
  readonly readMiss: (userUpload: string) => Promise<Miss | undefined>;
  readonly saveMiss: (userUpload: string, miss: Miss) => Promise<void>;
};

const runId = 'reconciliation';
const daySeconds = 86_400;

/** Stores the state in the state table. The run's item is also the lease, so that saving the run is conditional on the lease. */
export function createReconciliationState(client: DynamoDBClient, tableName: string): ReconciliationState {
  const lease = { tableName, id: runId, attributes: { owner: 'leaseOwner', expiry: 'leaseUntil' } };
  const put = async (item: Readonly<Record<string, NativeAttributeValue>>) => {
    const command = new PutItemCommand({ TableName: tableName, Item: marshall(item) });
    await client.send(command, { abortSignal: callDeadline() });
  };
  const get = async (id: string): Promise<Record<string, NativeAttributeValue> | undefined> => {
    const command = new GetItemCommand({ TableName: tableName, Key: { id: { S: id } }, ConsistentRead: true });
    const { Item } = await client.send(command, { abortSignal: callDeadline() });
    return Item && unmarshall(Item);
  };
  return {
    acquire: async (owner, nowMs, expiresAtMs) => {
      const item = await takeLease(client, lease, { owner, nowMs, expiresAtMs });
      return item ? (unmarshall(item) as SavedState) : 'busy';
    },
    save: async (owner, run, previousRun) => {
      const saved = await updateIf(client, {
        TableName: tableName,
        Key: { id: { S: runId } },
        UpdateExpression: previousRun ? 'SET run = :run, previousRun = :previousRun' : 'SET run = :run',
        ConditionExpression: 'leaseOwner = :owner',
        ExpressionAttributeValues: marshall(
          { ':owner': owner, ':run': run, ':previousRun': previousRun },
          { removeUndefinedValues: true },
        ),
      });
      if (!saved) throw new LoggableError(`Another invocation has taken over run ${run.id}.`);
    },
    release: (owner) => releaseLease(client, lease, owner),
    saveChunk: (run, kind, index, ids) =>
      put({ id: chunkId(run, kind, index), ids, expiresAt: secondsAfter(run.startedAt, chunkDays) }),
    readChunk: async (run, kind, index) => {
      const item = await get(chunkId(run, kind, index));
      if (!item) throw new LoggableError(`The saved ids of run ${run.id} do not exist any more: ${kind} ${index}.`);
      return item.ids;
    },
    readMiss: async (userUpload) => (await get(missId(userUpload))) as Miss | undefined,
    saveMiss: (userUpload, miss) =>
      put({
        id: missId(userUpload),
        ...miss,
        expiresAt: secondsAfter(miss.removedAt ?? miss.firstMissedAt, missDays),
      }),
  };
}

function chunkId({ id }: Run, kind: ChunkKind, index: number): string {
  return `${runId}/${id}/${kind}/${index}`;
}

function missId(userUpload: string): string {
  return `${missIdPrefix}${userUpload}`;
}

function secondsAfter(time: string, days: number): number {
  return Math.floor(Date.parse(time) / 1_000) + days * daySeconds;
}
