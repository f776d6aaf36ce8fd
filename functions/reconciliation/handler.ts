import type { Context } from 'aws-lambda';
import { createAskArgyle, ListError } from '../argyle/argyle-api.ts';
import { createPace, type Wait } from '../argyle/pace.ts';
import { createUserUploads, OutOfTimeError } from '../argyle/user-uploads.ts';
import { createReadArgyleCredentials } from '../aws/argyle-credentials.ts';
import { dynamodbClient, lambdaClient, secretsManagerClient, sqsClient } from '../aws/clients.ts';
import { environment, eventQueueUrl, readVariable } from '../aws/environment.ts';
import { createSendMessage } from '../aws/event-queue.ts';
import { createInvokeSelf, type InvokeSelf } from '../aws/self-invocation.ts';
import { createTelemetry } from '../aws/telemetry.ts';
import { type EventType, eventTypes } from '../domain/events.ts';
import { durationMetric, reconciliationMetrics } from '../domain/metric-names.ts';
import { checkCandidates, createListedIds, type RemovalDependencies, scanRecords } from './check-removals.ts';
import { listUploads } from './list-uploads.ts';
import { createRecordReader } from './record-reader.ts';
import { countedSince, hasEnded, isUnfinished, newRun, type Run, type RunCounts } from './run.ts';
import { createReconciliationState, type KeptState } from './state-store.ts';

/** What reconciliation needs from outside. */
export type ReconcileDependencies = RemovalDependencies & { readonly invokeSelf: InvokeSelf };

/** What an invocation came to; `continues`: another one goes on with the run. */
export type ReconcileAnswer =
  | { readonly status: 'busy' | 'nothing_to_continue' }
  | { readonly status: 'done' | 'continues'; readonly run: string; readonly counts: RunCounts };

type Request = { readonly confirmRemovals?: number; readonly continueRun?: string };
type Invocation = Pick<Context, 'awsRequestId' | 'functionName' | 'getRemainingTimeInMillis'>;

/** Of Lambda's 15 minutes, what a page with its events may still take after the last look at the clock: 45 s at most. */
export const reserveMs = 60_000;

/** Below Argyle's 50 requests a second, which the workers' share. */
const requestsPerSecond = 40;

/**
 * Compares all records with Argyle's list, part by part. `{}` begins a run, or goes on with an unfinished one; `{"continueRun":
 * id}` only goes on; `{"confirmRemovals": n}` also lets up to n removals go that would be held. A second invocation at the
 * same time finds the first one busy. Throws when Argyle or AWS does not serve; the run can go on later.
 */
export function createReconcile(dependencies: ReconcileDependencies) {
  // called by AWS: by the schedule, by itself, or by a person
  return (payload: unknown, invocation: Invocation): Promise<ReconcileAnswer> =>
    reconcile(dependencies, payload, invocation).catch((error: unknown) => {
      dependencies.telemetry.error('reconciliation_failed', error, {});
      throw error;
    });
}

async function reconcile(deps: ReconcileDependencies, payload: unknown, context: Invocation): Promise<ReconcileAnswer> {
  const { state, nowMs, invokeSelf } = deps;
  const request = readRequest(payload);
  const { awsRequestId: owner, functionName } = context;
  const timeOutMs = nowMs() + context.getRemainingTimeInMillis();
  const kept = await state.acquire(owner, nowMs(), timeOutMs);
  if (kept === 'busy') return { status: 'busy' };
  let run: Run | undefined;
  try {
    const resumed = chooseRun(request, kept, owner, nowMs());
    run = resumed && (await workOn(deps, owner, resumed, timeOutMs - reserveMs));
  } finally {
    await state.release(owner);
  }
  if (!run) return { status: 'nothing_to_continue' };
  if (!hasEnded(run)) await invokeSelf(functionName, { continueRun: run.id });
  return { status: hasEnded(run) ? 'done' : 'continues', run: run.id, counts: run.counts };
}

function readRequest(payload: unknown): Request {
  const { confirmRemovals, continueRun } = (payload ?? {}) as Record<keyof Request, unknown>;
  if (confirmRemovals !== undefined && !(Number.isSafeInteger(confirmRemovals) && Number(confirmRemovals) >= 0))
    throw new Error('confirmRemovals is not allowed: use a whole number, the most records that may be removed.');
  return {
    ...(confirmRemovals !== undefined && { confirmRemovals: Number(confirmRemovals) }),
    ...(typeof continueRun === 'string' && { continueRun }),
  };
}

function chooseRun(request: Request, kept: KeptState, newId: string, nowMs: number): Run | undefined {
  const { confirmRemovals, continueRun } = request;
  const unfinished = isUnfinished(kept.run, nowMs) ? kept.run : undefined;
  if (continueRun !== undefined) return unfinished?.id === continueRun ? unfinished : undefined;
  const run = unfinished ?? newRun(newId, nowMs, kept.previousRun);
  return confirmRemovals === undefined ? run : { ...run, confirmedRemovals: confirmRemovals };
}

async function workOn(dependencies: ReconcileDependencies, owner: string, resumed: Run, endsMs: number): Promise<Run> {
  const { state, nowMs, uploads, telemetry } = dependencies;
  const before = { ms: nowMs(), requests: uploads.requests() };
  let run = resumed;
  try {
    do {
      run = await takeStep(dependencies, run, endsMs);
      const hasLooked = run.phase === 'done' && run.counts.held === 0;
      await state.save(owner, run, hasLooked ? run.id : undefined);
    } while (!hasEnded(run) && nowMs() < endsMs);
    return run;
  } catch (error) {
    // Nothing is wrong if this part has come further; a part that has not must not go round in circles.
    if (error instanceof OutOfTimeError && run !== resumed) return run;
    if (error instanceof ListError) await state.save(owner, { ...run, phase: 'failed' }, undefined);
    throw error;
  } finally {
    const counts: Record<string, number> = {
      ...countedSince(run, resumed),
      requests: uploads.requests() - before.requests,
    };
    const metrics = Object.entries(reconciliationMetrics).map(([name, metric]) => [metric, counts[name] ?? 0]);
    telemetry.measure(
      { ...Object.fromEntries(metrics), [durationMetric]: nowMs() - before.ms },
      { runId: run.id, phase: run.phase, records: run.counts.records, candidates: run.counts.candidates },
    );
  }
}

function takeStep(dependencies: ReconcileDependencies, run: Run, endsMs: number): Promise<Run> {
  if (run.phase === 'list') return listUploads(dependencies, run, endsMs);
  return run.phase === 'scan' ? scanRecords(dependencies, run, endsMs) : checkCandidates(dependencies, run, endsMs);
}

const wait: Wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// once per cold start
function runtimeDependencies(): ReconcileDependencies {
  const secretName = readVariable(environment.argyleCredentialsId);
  const readCredentials = createReadArgyleCredentials(secretsManagerClient(), secretName, Date.now);
  const askArgyle = createAskArgyle(readVariable(environment.argyleApiUrl), readCredentials);
  const pace = createPace(requestsPerSecond, Date.now, wait);
  const state = createReconciliationState(dynamodbClient(), readVariable(environment.stateTableName));
  return {
    uploads: createUserUploads({ askArgyle, pace, wait, nowMs: Date.now, secretName }),
    records: createRecordReader(dynamodbClient(), readVariable(environment.tableName), wait),
    state,
    listedIds: createListedIds({ state }),
    sendMessage: createSendMessage(sqsClient()),
    queueUrls: Object.fromEntries(eventTypes.map((event) => [event, readVariable(eventQueueUrl(event))])) as Record<
      EventType,
      string
    >,
    pace,
    nowMs: Date.now,
    telemetry: createTelemetry(),
    invokeSelf: createInvokeSelf(lambdaClient()),
  };
}

export const handler = createReconcile(runtimeDependencies());
