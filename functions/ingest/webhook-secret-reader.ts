import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { orAborted } from '../aws/deadline.ts';
import { previousSecretValidMs, secretCacheMs, unreadableSecretCacheMs } from '../domain/secret-cache-times.ts';

/** The secrets that a delivery may be signed with right now. `valid` and `reread` throw when the current one cannot be read. */
export type WebhookSecrets = {
  /** From the cache while it is fresh. */
  readonly valid: (abortSignal: AbortSignal) => Promise<readonly string[]>;
  /** After a mismatch: the secrets read anew, or undefined when they were read so lately that it is no use. */
  readonly reread: (abortSignal: AbortSignal) => Promise<readonly string[] | undefined>;
};

/** Reads ahead of the first delivery, which then waits for it. Never throws: what fails is tried again when it is needed. */
export type ReadAhead = { readonly readAhead: (abortSignal: AbortSignal) => void };

type Versions = {
  readonly current: string;
  readonly pending: string | undefined;
  readonly previous: string | undefined;
  readonly previousValidUntilMs: number;
  readonly readAtMs: number;
};

const rereadPauseMs = 10_000;

/**
 * Reads the webhook secret's versions from Secrets Manager: current and pending are valid, previous for 24 h after
 * the current one's creation. Cached for 60 s, for 15 minutes while re-reading fails; re-reading on a mismatch at
 * most once in 10 s, so that a flood of bad signatures costs nothing.
 * @param nowMs the clock, epoch milliseconds
 */
export function createWebhookSecrets(
  client: SecretsManagerClient,
  secretId: string,
  nowMs: () => number,
): WebhookSecrets & ReadAhead {
  let cached: Versions | undefined;
  let ahead: Promise<unknown> | undefined;
  let failedAtMs = Number.NEGATIVE_INFINITY;
  let failure: unknown;

  const read = async (abortSignal: AbortSignal): Promise<Versions> => {
    try {
      cached = await readVersions(client, secretId, nowMs(), abortSignal);
      failedAtMs = Number.NEGATIVE_INFINITY;
      return cached;
    } catch (error) {
      failedAtMs = nowMs();
      failure = error;
      throw error;
    }
  };
  const failedLately = () => nowMs() - failedAtMs < rereadPauseMs;

  return {
    readAhead: (abortSignal) => {
      ahead = read(abortSignal).catch(() => undefined);
    },
    valid: async (abortSignal) => {
      // It has time limits of its own, but may have begun in an environment that was frozen before it ended.
      if (ahead) await orAborted(ahead, abortSignal);
      ahead = undefined;
      const kept = cached;
      if (!kept) return secretsOf(await read(abortSignal), nowMs());
      const ageMs = nowMs() - kept.readAtMs;
      if (ageMs < secretCacheMs) return secretsOf(kept, nowMs());
      const isUsable = ageMs < unreadableSecretCacheMs;
      if (isUsable && failedLately()) return secretsOf(kept, nowMs());
      return secretsOf(await read(abortSignal).catch((error) => (isUsable ? kept : Promise.reject(error))), nowMs());
    },
    reread: async (abortSignal) => {
      // A signature that an old copy does not match may still be right: nobody can say while reading fails.
      if (failedLately()) throw failure;
      if (cached && nowMs() - cached.readAtMs < rereadPauseMs) return undefined;
      return secretsOf(await read(abortSignal), nowMs());
    },
  };
}

function secretsOf({ current, pending, previous, previousValidUntilMs }: Versions, nowMs: number): readonly string[] {
  return [current, pending, nowMs < previousValidUntilMs ? previous : undefined].filter(
    (secret) => secret !== undefined,
  );
}

async function readVersions(
  client: SecretsManagerClient,
  secretId: string,
  readAtMs: number,
  abortSignal: AbortSignal,
): Promise<Versions> {
  const read = (stage: string) => readStage(client, secretId, stage, abortSignal);
  // One after the other, over one connection: two more TLS handshakes would cost more CPU than all else at a cold start.
  const current = await read('AWSCURRENT');
  const pending = await read('AWSPENDING');
  const previous = await read('AWSPREVIOUS');
  if (!current)
    throw new Error('The webhook secret has no current value: put one with the Secrets Manager console or CLI.');
  return {
    current: current.secret,
    pending: pending?.secret,
    previous: previous?.secret,
    previousValidUntilMs: current.createdAtMs + previousSecretValidMs,
    readAtMs,
  };
}

async function readStage(
  client: SecretsManagerClient,
  secretId: string,
  stage: string,
  abortSignal: AbortSignal,
): Promise<{ readonly secret: string; readonly createdAtMs: number } | undefined> {
  try {
    const command = new GetSecretValueCommand({ SecretId: secretId, VersionStage: stage });
    const { SecretString, CreatedDate } = await client.send(command, { abortSignal });
    return SecretString ? { secret: SecretString, createdAtMs: CreatedDate?.getTime() ?? 0 } : undefined;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
