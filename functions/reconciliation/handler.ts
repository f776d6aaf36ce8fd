import type { Context } from 'aws-lambda';
import { ArgyleError } from '../argyle/argyle-api.ts';
import { OutOfTimeError, sleep } from '../argyle/retry.ts';
import { createReadArgyleCredentials } from '../aws/argyle-credentials.ts';
import { dynamodbClient, lambdaClient, secretsManagerClient, sqsClient } from '../aws/clients.ts';
import { environment, eventQueueUrl, readVariable } from '../aws/environment.ts';
import { createSendMessage } from '../aws/event-queue.ts';
import { createInvokeSelf, type InvokeSelf } from '../aws/self-invocation.ts';
import { createSubscriptionRegistryStore } from '../aws/subscription-registry-store.ts';
import { createTelemetry } from '../aws/telemetry.ts';
import { type EventType, eventTypes } from '../domain/events.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import { durationMetric, reconciliationMetrics } from '../domain/metric-names.ts';
import { reserveMs } from '../domain/reconciliation-times.ts';
import { checkCandidates, createListedIds, type RemovalDependencies, scanRecords } from './check-removals.ts';
import { listUploads } from './list-uploads.ts';
import { createRecordReader } from './record-reader.ts';
import {
  countsSince,
  hasEnded,
  isUnfinished,
  newRun,
  nextPart,
  type Run,
  type RunCounts,
  RunLimitError,
} from './run.ts';
import { createReconciliationState, type SavedState } from './state-store.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

/** Dependencies of reconciliation. All requests to Argyle go through the workspace. */
export type ReconcileDependencies = RemovalDependencies & Workspace & { readonly invokeSelf: InvokeSelf };

/** The result of an invocation. `continues`: another invocation continues the run. */
export type ReconcileAnswer =
  | { readonly status: 'busy' | 'nothing_to_continue' }
  | { readonly status: 'done' | 'continues'; readonly run: string; readonly counts: RunCounts };

type Request = { readonly confirmRemovals?: number; readonly continueRun?: string };
type Invocation = Pick<Context, 'awsRequestId' | 'functionName' | 'getRemainingTimeInMillis'>;

/**
 * Creates the handler that compares all records with Argyle's list, in as many invocations as needed. `{}` starts a run, or
 * continues an unfinished one. `{"continueRun": id}` only continues that run. `{"confirmRemovals": n}` also permits up to n
 * removals that would otherwise be held. Returns `busy` while another invocation runs. Throws when Argyle or AWS fails, or when
 * the API key may belong to another workspace; a later invocation can continue the run.
 */
export function createReconcile(dependencies: ReconcileDependencies) {
  // called by AWS: by the schedule, by this function, or by an operator
  return (payload: unknown, invocation: Invocation): Promise<ReconcileAnswer> =>
    reconcile(dependencies, payload, invocation).catch((error: unknown) => {
      dependencies.telemetry.error('reconciliation_failed', error, {});
      // Lambda logs the message of every error, and that of an unknown one may contain payload.
      if (error instanceof LoggableError) throw error;
      throw new Error('The reconciliation failed: see the log line reconciliation_failed for the cause.');
    });
}

async function reconcile(deps: ReconcileDependencies, payload: unknown, context: Invocation): Promise<ReconcileAnswer> {
  const { state, nowMs, invokeSelf } = deps;
  const request = readRequest(payload);
  const { awsRequestId: owner, functionName } = context;
  const timeOutMs = nowMs() + context.getRemainingTimeInMillis();
  const saved = await state.acquire(owner, nowMs(), timeOutMs);
  if (saved === 'busy') return { status: 'busy' };
  let run: Run | undefined;
  try {
    const resumed = chooseRun(request, saved, owner, nowMs());
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
    throw new LoggableError(
      'This value of confirmRemovals is not allowed: use a whole number, the maximum number of removals.',
    );
  return {
    ...(confirmRemovals !== undefined && { confirmRemovals: Number(confirmRemovals) }),
    ...(typeof continueRun === 'string' && { continueRun }),
  };
}

function chooseRun(request: Request, saved: SavedState, newId: string, nowMs: number): Run | undefined {
  const { confirmRemovals, continueRun } = request;
  const unfinished = isUnfinished(saved.run, nowMs) ? saved.run : undefined;
  if (continueRun !== undefined) return continueOnly(continueRun, saved.run, unfinished);
  const run = unfinished ?? newRun(newId, nowMs, saved.previousRun);
  return confirmRemovals === undefined ? run : { ...run, confirmedRemovals: confirmRemovals };
}

function continueOnly(id: string, saved: Run | undefined, unfinished: Run | undefined): Run | undefined {
  if (unfinished?.id === id) return unfinished;
  // The run is too old to continue, and its work is not complete. The error causes an alarm.
  if (saved?.id === id && !hasEnded(saved))
    throw new RunLimitError('The run has not ended within three days, the maximum: the next run starts again.');
  return undefined;
}

async function workOn(dependencies: ReconcileDependencies, owner: string, resumed: Run, endsMs: number): Promise<Run> {
  const { state, nowMs, telemetry } = dependencies;
  const before = { ms: nowMs(), requests: dependencies.requests() };
  let run = resumed;
  let completed = 0;
  let hasProgress = false;
  try {
    await dependencies.prove(endsMs);
    run = nextPart(resumed);
    do {
      run = await takeStep(dependencies, run, endsMs);
      const hasChecked = run.phase === 'done' && run.counts.held === 0;
      await state.save(owner, run, hasChecked ? run.id : undefined);
      completed = Number(run.phase === 'done');
      hasProgress = true;
    } while (!hasEnded(run) && nowMs() < endsMs);
    return run;
  } catch (error) {
    // Another invocation may continue only if this one has made progress. Otherwise the function would invoke itself forever.
    if (error instanceof OutOfTimeError && hasProgress) return run;
    if (endsRun(error)) await state.save(owner, { ...run, phase: 'failed' }, undefined);
    throw error;
  } finally {
    const counts: Record<string, number> = {
      ...countsSince(run, resumed),
      requests: dependencies.requests() - before.requests,
      completed,
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

// Whether a later invocation could not continue the run either.
function endsRun(error: unknown): boolean {
  return error instanceof RunLimitError || (error instanceof ArgyleError && !error.isTransient);
}

// once per cold start
function runtimeDependencies(): ReconcileDependencies {
  const secretName = readVariable(environment.argyleCredentialsId);
  const stateTableName = readVariable(environment.stateTableName);
  const state = createReconciliationState(dynamodbClient(), stateTableName);
  return {
    ...createWorkspace({
      apiUrl: readVariable(environment.argyleApiUrl),
      readCredentials: createReadArgyleCredentials(secretsManagerClient(), secretName, Date.now),
      secretName,
      registry: createSubscriptionRegistryStore(dynamodbClient(), stateTableName),
      sleep,
      nowMs: Date.now,
    }),
    records: createRecordReader(dynamodbClient(), readVariable(environment.tableName), sleep),
    state,
    listedIds: createListedIds({ state }),
    sendMessage: createSendMessage(sqsClient()),
    queueUrls: Object.fromEntries(eventTypes.map((event) => [event, readVariable(eventQueueUrl(event))])) as Record<
      EventType,
      string
    >,
    nowMs: Date.now,
    telemetry: createTelemetry(),
    invokeSelf: createInvokeSelf(lambdaClient()),
  };
}

export const handler = createReconcile(runtimeDependencies());
