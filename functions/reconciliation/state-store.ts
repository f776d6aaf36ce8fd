import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, type NativeAttributeValue, unmarshall } from '@aws-sdk/util-dynamodb';
import { callDeadline } from '../aws/clients.ts';
import type { Miss } from './removal-rule.ts';
import type { Run } from './run.ts';

/** What is kept between runs, and of a run: `previousRun` is the last that looked for what is gone. */
export type KeptState = { readonly run?: Run; readonly previousRun?: string };

/** Which ids: all that Argyle lists, or those whose records may be gone. */
export type ChunkKind = 'listed' | 'candidates';

/** The memory of reconciliation. All throw when DynamoDB does not answer or refuses. */
export type ReconciliationState = {
  /** Takes the lease, or finds that somebody else has it until later. An owner may take its own again. */
  readonly acquire: (owner: string, nowMs: number, untilMs: number) => Promise<KeptState | 'busy'>;
  /** Keeps the run; throws when somebody else has taken the lease meanwhile. */
  readonly save: (owner: string, run: Run, previousRun: string | undefined) => Promise<void>;
  readonly release: (owner: string) => Promise<void>;
  readonly saveChunk: (run: Run, kind: ChunkKind, index: number, ids: Uint8Array) => Promise<void>;
  /** Throws when the chunk is not there. */
  readonly readChunk: (run: Run, kind: ChunkKind, index: number) => Promise<Uint8Array>;
  readonly readMiss: (userUpload: string) => Promise<Miss | undefined>;
  readonly saveMiss: (userUpload: string, miss: Miss) => Promise<void>;
};

// One item, as there is one lease.
const runKey = { id: { S: 'reconciliation' } };
const daySeconds = 86_400;
// A run goes on for three days at most.
const chunkDays = 7;
// Longer than two runs are ever apart (reconciliationHours is 720 at most).
const missDays = 70;

/** Keeps it in the stack's table for what it remembers about Argyle. */
export function createReconciliationState(client: DynamoDBClient, tableName: string): ReconciliationState {
  // False when somebody else has the lease.
  const update = async (
    owner: string,
    expression: string,
    values: Readonly<Record<string, NativeAttributeValue>> = {},
  ): Promise<boolean> => {
    const command = new UpdateItemCommand({
      TableName: tableName,
      Key: runKey,
      UpdateExpression: expression,
      ConditionExpression: 'leaseOwner = :owner',
      ExpressionAttributeValues: marshall({ ':owner': owner, ...values }, { removeUndefinedValues: true }),
    });
    return isTaken(client.send(command, { abortSignal: callDeadline() }));
  };
  const put = async (item: Readonly<Record<string, NativeAttributeValue>>) => {
    await client.send(new PutItemCommand({ TableName: tableName, Item: marshall(item) }), {
      abortSignal: callDeadline(),
    });
  };
  const get = async (id: string): Promise<Record<string, NativeAttributeValue> | undefined> => {
    const command = new GetItemCommand({ TableName: tableName, Key: { id: { S: id } }, ConsistentRead: true });
    const { Item } = await client.send(command, { abortSignal: callDeadline() });
    return Item && unmarshall(Item);
  };

  return {
    acquire: (owner, nowMs, untilMs) => acquire(client, tableName, owner, nowMs, untilMs),
    save: async (owner, run, previousRun) => {
      const expression = previousRun ? 'SET run = :run, previousRun = :previousRun' : 'SET run = :run';
      if (!(await update(owner, expression, { ':run': run, ':previousRun': previousRun })))
        throw new Error(`Run ${run.id} is in the hands of another invocation.`);
    },
    release: async (owner) => {
      await update(owner, 'REMOVE leaseOwner, leaseUntil');
    },
    saveChunk: (run, kind, index, ids) =>
      put({ id: chunkId(run, kind, index), ids, expiresAt: secondsAfter(run.startedAt, chunkDays) }),
    readChunk: async (run, kind, index) => {
      const item = await get(chunkId(run, kind, index));
      if (!item) throw new Error(`The ids that run ${run.id} had kept are gone: ${kind} ${index}.`);
      return item.ids;
    },
    readMiss: async (userUpload) => (await get(missId(userUpload))) as Miss | undefined,
    saveMiss: (userUpload, { firstMissedAt, missedBy }) =>
      put({
        id: missId(userUpload),
        firstMissedAt,
        missedBy,
        expiresAt: secondsAfter(firstMissedAt, missDays),
      }),
  };
}

async function acquire(
  client: DynamoDBClient,
  tableName: string,
  owner: string,
  nowMs: number,
  untilMs: number,
): Promise<KeptState | 'busy'> {
  const command = new UpdateItemCommand({
    TableName: tableName,
    Key: runKey,
    UpdateExpression: 'SET leaseOwner = :owner, leaseUntil = :until',
    ConditionExpression: 'attribute_not_exists(leaseOwner) OR leaseOwner = :owner OR leaseUntil < :now',
    ExpressionAttributeValues: marshall({ ':owner': owner, ':until': untilMs, ':now': nowMs }),
    ReturnValues: 'ALL_NEW',
  });
  const sending = client.send(command, { abortSignal: callDeadline() });
  return (await isTaken(sending)) ? (unmarshall((await sending).Attributes ?? {}) as KeptState) : 'busy';
}

// Whether a conditional write was carried out.
async function isTaken(sending: Promise<unknown>): Promise<boolean> {
  try {
    await sending;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

function chunkId({ id }: Run, kind: ChunkKind, index: number): string {
  return `reconciliation/${id}/${kind}/${index}`;
}

function missId(userUpload: string): string {
  return `miss/${userUpload}`;
}

function secondsAfter(time: string, days: number): number {
  return Math.floor(Date.parse(time) / 1_000) + days * daySeconds;
}
