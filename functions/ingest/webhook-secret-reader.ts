import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { abortable } from '../aws/deadline.ts';
import { previousSecretValidMs, secretCacheMs, unreadableSecretCacheMs } from '../domain/secret-cache-times.ts';

/** The secrets that are valid for signatures. `valid` and `reread` throw when the current secret cannot be read. */
export type WebhookSecrets = {
  /** Returns the valid secrets, from the cache while it is fresh. */
  readonly valid: (abortSignal: AbortSignal) => Promise<readonly string[]>;
  /** Reads the secrets again, after a mismatch. Returns undefined when the last read was less than 10 s ago. */
  readonly reread: (abortSignal: AbortSignal) => Promise<readonly string[] | undefined>;
};

/** Starts a read before the first request, which then waits for its result. Never throws: the request retries a failed read. */
export type ReadAhead = { readonly readAhead: (abortSignal: AbortSignal) => void };

type Versions = {
  readonly current: string;
  readonly pending: string | undefined;
  readonly previous: string | undefined;
  readonly previousValidUntilMs: number;
  readonly readAtMs: number;
};

const minReadIntervalMs = 10_000;

/**
 * Creates the reader of the webhook secret's versions in Secrets Manager. The current and pending ones are valid, and the
 * previous one for 24 h after the current one's creation. They are cached for 60 s, and for 15 minutes while reading fails. A
 * mismatch causes at most one read in 10 s, so that a flood of bad signatures does not cause a flood of reads.
 * @param nowMs the clock, epoch milliseconds
 */
export function createWebhookSecrets(
  client: SecretsManagerClient,
  secretId: string,
  nowMs: () => number,
): WebhookSecrets & ReadAhead {
  let cached: Versions | undefined;
  let ahead: Promise<unknown> | undefined;
  let failure: { readonly error: unknown; readonly atMs: number } | undefined;

  const read = async (abortSignal: AbortSignal): Promise<Versions> => {
    try {
      cached = await readVersions(client, secretId, nowMs(), abortSignal);
      failure = undefined;
      return cached;
    } catch (error) {
      failure = { error, atMs: nowMs() };
      throw error;
    }
  };
  const recentFailure = () => (failure && nowMs() - failure.atMs < minReadIntervalMs ? failure : undefined);

  return {
    readAhead: (abortSignal) => {
      ahead = read(abortSignal).catch(() => undefined);
    },
    valid: async (abortSignal) => {
      // The request's deadline limits the wait, because the read's own time-outs may not apply: Lambda may have frozen the
      // environment during the read.
      if (ahead) await abortable(ahead, abortSignal);
      ahead = undefined;
      const last = cached;
      const ageMs = last ? nowMs() - last.readAtMs : Number.POSITIVE_INFINITY;
      if (!last || ageMs >= unreadableSecretCacheMs) return secretsOf(await read(abortSignal), nowMs());
      if (ageMs < secretCacheMs || recentFailure()) return secretsOf(last, nowMs());
      return secretsOf(await read(abortSignal).catch(() => last), nowMs());
    },
    reread: async (abortSignal) => {
      // While reading fails, a signature that does not match the cached secrets may still be valid.
      const recent = recentFailure();
      if (recent) throw recent.error;
      if (cached && nowMs() - cached.readAtMs < minReadIntervalMs) return undefined;
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
  // In sequence, over one connection: two more TLS handshakes would cost more CPU than the rest of a cold start.
  const current = await read('AWSCURRENT');
  const pending = await read('AWSPENDING');
  const previous = await read('AWSPREVIOUS');
  if (!current)
    throw new Error('The webhook secret has no current value: set one with the Secrets Manager console or CLI.');
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
