import type { Context } from 'aws-lambda';
import { ArgyleError, createAskArgyle } from '../argyle/argyle-api.ts';
import { createPace, OutOfTimeError, sleep } from '../argyle/retry.ts';
import { createUserUploads } from '../argyle/user-uploads.ts';
import { createReadArgyleCredentials } from '../aws/argyle-credentials.ts';
import { dynamodbClient, lambdaClient, secretsManagerClient, sqsClient } from '../aws/clients.ts';
import { environment, eventQueueUrl, readVariable } from '../aws/environment.ts';
import { createSendMessage } from '../aws/event-queue.ts';
import { createInvokeSelf, type InvokeSelf } from '../aws/self-invocation.ts';
import { createTelemetry } from '../aws/telemetry.ts';
import { type EventType, eventTypes } from '../domain/events.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import { durationMetric, reconciliationMetrics } from '../domain/metric-names.ts';
import { checkCandidates, createListedIds, type RemovalDependencies, scanRecords } from './check-removals.ts';
import { listUploads } from './list-uploads.ts';
import { createRecordReader } from './record-reader.ts';
import { countsSince, hasEnded, isUnfinished, newRun, type Run, type RunCounts } from './run.ts';
import { createReconciliationState, type SavedState } from './state-store.ts';

export type ReconcileDependencies = RemovalDependencies & { readonly invokeSelf: InvokeSelf };

/** The result of an invocation. `continues`: another invocation continues the run. */
export type ReconcileAnswer =
  | { readonly status: 'busy' | 'nothing_to_continue' }
  | { readonly status: 'done' | 'continues'; readonly run: string; readonly counts: RunCounts };

type Request = { readonly confirmRemovals?: number; readonly continueRun?: string };
type Invocation = Pick<Context, 'awsRequestId' | 'functionName' | 'getRemainingTimeInMillis'>;

/** Time reserved out of Lambda's 15 minutes: after the last check of the clock, a page with its events may take 45 s. */
export const reserveMs = 60_000;

// Argyle's limit is 50 requests a second. The workers need some of them.
const requestsPerSecond = 40;

/**
 * Creates the handler that compares all records with Argyle's list, in as many invocations as needed. `{}` starts a run, or
 * continues an unfinished one. `{"continueRun": id}` only continues that run. `{"confirmRemovals": n}` also permits up to n
 * removals that would otherwise be held. Returns `busy` while another invocation runs. Throws when Argyle or AWS fails; a later
 * invocation can continue the run.
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
  if (continueRun !== undefined) return unfinished?.id === continueRun ? unfinished : undefined;
  const run = unfinished ?? newRun(newId, nowMs, saved.previousRun);
  return confirmRemovals === undefined ? run : { ...run, confirmedRemovals: confirmRemovals };
}

async function workOn(dependencies: ReconcileDependencies, owner: string, resumed: Run, endsMs: number): Promise<Run> {
  const { state, nowMs, uploads, telemetry } = dependencies;
  const before = { ms: nowMs(), requests: uploads.requests() };
  let run = resumed;
  let completed = 0;
  try {
    do {
      run = await takeStep(dependencies, run, endsMs);
      const hasChecked = run.phase === 'done' && run.counts.held === 0;
      await state.save(owner, run, hasChecked ? run.id : undefined);
      completed = Number(run.phase === 'done');
    } while (!hasEnded(run) && nowMs() < endsMs);
    return run;
  } catch (error) {
    // Another invocation may continue only if this one has made progress. Otherwise the function would invoke itself forever.
    if (error instanceof OutOfTimeError && run !== resumed) return run;
    if (error instanceof ArgyleError && !error.isTransient)
      await state.save(owner, { ...run, phase: 'failed' }, undefined);
    throw error;
  } finally {
    const counts: Record<string, number> = {
      ...countsSince(run, resumed),
      requests: uploads.requests() - before.requests,
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

// once per cold start
function runtimeDependencies(): ReconcileDependencies {
  const secretName = readVariable(environment.argyleCredentialsId);
  const readCredentials = createReadArgyleCredentials(secretsManagerClient(), secretName, Date.now);
  const askArgyle = createAskArgyle(readVariable(environment.argyleApiUrl), readCredentials);
  const pace = createPace(requestsPerSecond, Date.now, sleep);
  const state = createReconciliationState(dynamodbClient(), readVariable(environment.stateTableName));
  return {
    uploads: createUserUploads({ askArgyle, pace, sleep, nowMs: Date.now, secretName }),
    records: createRecordReader(dynamodbClient(), readVariable(environment.tableName), sleep),
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
