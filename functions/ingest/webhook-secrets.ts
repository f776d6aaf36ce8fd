import { abortable, withTimeLimit } from '../aws/deadline.ts';
import { createSharedRead, type ReadAttempt, type SharedRead } from '../aws/shared-read.ts';
import {
  coldReadIntervalMs,
  ingestDeadlineMs,
  mismatchReadIntervalMs,
  previousSecretValidMs,
  secretCacheMs,
  secretRefreshMs,
  unreadableSecretCacheMs,
} from '../domain/secret-cache-times.ts';

/** The webhook secrets that are valid for signatures. */
export type WebhookSecrets = {
  /**
   * Returns whether `isSigned` accepts a valid secret. Throws when that is unknown because the secret cannot be read, also when `deadline`
   * aborts first.
   */
  readonly verify: (isSigned: IsSigned, deadline: AbortSignal) => Promise<boolean>;
  /** Starts to read the current secret before the first request, which then waits for the result. Never throws. */
  readonly readAhead: () => void;
};

/** Whether one of these secrets signed a delivery. */
export type IsSigned = (secrets: readonly string[]) => boolean;

/** Reads one stage of the secret. Returns undefined when there is no such stage, or its value is empty or not a text. */
export type ReadStage = (
  stage: 'AWSCURRENT' | 'AWSPENDING' | 'AWSPREVIOUS',
  abortSignal: AbortSignal,
) => Promise<StageValue | undefined>;

export type StageValue = { readonly secret: string; readonly createdAtMs: number };

type Versions = {
  readonly current: StageValue;
  readonly pending?: string | undefined;
  readonly previous?: string | undefined;
};

/**
 * Creates the verification of signatures with the versions of the webhook secret. The current and pending ones are valid, and the previous one for
 * 24 h after the current one's creation. Most deliveries need only the current one, which is read when its cached copy is older than 60 s.
 * All stages are read only after a signature matched no cached secret, at most once in 10 s, so that a flood of bad signatures does not
 * cause a flood of reads. Cached secrets are used for 15 minutes while reading fails or takes longer than 2 s.
 * @param nowMs the clock, epoch milliseconds
 */
export function createWebhookSecrets(readStage: ReadStage, nowMs: () => number): WebhookSecrets {
  const options = { limitMs: ingestDeadlineMs, nowMs };
  const current = createSharedRead<Versions>({
    ...options,
    read: async (signal) => ({ current: await readCurrent(readStage, signal) }),
  });
  const all = createSharedRead<Versions>({
    ...options,
    read: async (signal, startedMs) => {
      const versions = await readAll(readStage, signal);
      current.keep({ value: { current: versions.current }, readAtMs: startedMs });
      return versions;
    },
  });
  let ahead: ReadAttempt<Versions> | undefined;

  return {
    readAhead: () => {
      ahead = current.attempt(coldReadIntervalMs);
    },
    verify: async (isSigned, deadline) => {
      deadline.throwIfAborted();
      const matches = (versions: Versions) => isSigned(secretsOf(versions, nowMs()));
      const refreshEndsMs = nowMs() + secretRefreshMs;
      if (!isUsable(current, nowMs())) await readCold(current, ahead, deadline);
      for (const copy of [current, all])
        if (await matchesCopy(copy, matches, { nowMs, refreshEndsMs, deadline })) return true;
      return matches(await abortable(all.attempt(mismatchReadIntervalMs).result, deadline));
    },
  };
}

// A failed read ahead is repeated, because it may have failed long before the request.
async function readCold(
  current: SharedRead<Versions>,
  ahead: ReadAttempt<Versions> | undefined,
  deadline: AbortSignal,
): Promise<void> {
  const attempt = current.attempt(coldReadIntervalMs);
  try {
    await abortable(attempt.result, deadline);
  } catch (error) {
    if (attempt !== ahead || deadline.aborted) throw error;
    await abortable(current.attempt(0).result, deadline);
  }
}

type CopyOptions = { readonly nowMs: () => number; readonly refreshEndsMs: number; readonly deadline: AbortSignal };

// Refreshes the copy only if it matches: otherwise all stages must be read anyway.
async function matchesCopy(
  copy: SharedRead<Versions>,
  matches: (versions: Versions) => boolean,
  { nowMs, refreshEndsMs, deadline }: CopyOptions,
): Promise<boolean> {
  const latest = copy.latest();
  if (!latest || !isUsable(copy, nowMs()) || !matches(latest.value)) return false;
  if (nowMs() - latest.readAtMs < secretCacheMs) return true;
  const { result, startedMs } = copy.attempt(mismatchReadIntervalMs);
  const waitMs = Math.min(startedMs + secretRefreshMs, refreshEndsMs) - nowMs();
  const refreshed = await withTimeLimit(waitMs, (limit) => abortable(result, AbortSignal.any([limit, deadline]))).catch(
    () => latest.value,
  );
  return matches(refreshed);
}

function isUsable(copy: SharedRead<Versions>, nowMs: number): boolean {
  const latest = copy.latest();
  return latest !== undefined && nowMs - latest.readAtMs < unreadableSecretCacheMs;
}

function secretsOf({ current, pending, previous }: Versions, nowMs: number): readonly string[] {
  const isPreviousValid = nowMs < current.createdAtMs + previousSecretValidMs;
  return [current.secret, pending, isPreviousValid ? previous : undefined].filter((secret) => secret !== undefined);
}

// The rotation moves AWSCURRENT before it removes AWSPENDING, and AWSPREVIOUS moves together with AWSCURRENT. In this order, a read finds
// every valid version under one of its stages.
async function readAll(readStage: ReadStage, abortSignal: AbortSignal): Promise<Versions> {
  const current = await readCurrent(readStage, abortSignal);
  const others = (['AWSPENDING', 'AWSPREVIOUS'] as const).map((stage) => readStage(stage, abortSignal));
  const [pending, previous] = await Promise.all(others);
  return { current, pending: pending?.secret, previous: previous?.secret };
}

async function readCurrent(readStage: ReadStage, abortSignal: AbortSignal): Promise<StageValue> {
  const current = await readStage('AWSCURRENT', abortSignal);
  if (current) return current;
  throw new Error('The webhook secret has no current value: set one with the Secrets Manager console or CLI.');
}
