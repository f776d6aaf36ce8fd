import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { ReadCredentials } from '../argyle/argyle-api.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import { callLimitMs } from './clients.ts';
import { abortable } from './deadline.ts';
import { createSharedRead } from './shared-read.ts';

// A new key takes effect within this time, without a deployment.
const cacheMs = 5 * 60_000;

/**
 * Creates a function that reads Argyle's API key, `{"apiKeyId": "…", "apiKeySecret": "…"}`, from Secrets Manager and caches it for
 * 5 minutes. Concurrent callers share one read, and each of them waits at most until its own signal aborts. It throws when the secret
 * cannot be read or is not in this form. The message names the secret, never its value.
 */
export function createReadArgyleCredentials(
  client: SecretsManagerClient,
  secretId: string,
  nowMs: () => number,
): ReadCredentials {
  const credentials = createSharedRead({
    read: async (abortSignal) => readCredentials(await readSecret(client, secretId, abortSignal), secretId),
    limitMs: callLimitMs,
    nowMs,
  });
  return async (signal) => {
    const latest = credentials.latest();
    if (latest && nowMs() - latest.readAtMs < cacheMs) return latest.value;
    // A read that failed is not reused: the key may be correct by now.
    const { result } = credentials.attempt(0);
    return signal ? abortable(result, signal) : result;
  };
}

async function readSecret(
  client: SecretsManagerClient,
  secretId: string,
  abortSignal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await client.send(new GetSecretValueCommand({ SecretId: secretId }), { abortSignal })).SecretString;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

function readCredentials(text: string | undefined, secretId: string) {
  const { apiKeyId, apiKeySecret } = parseJson(text);
  if (typeof apiKeyId === 'string' && typeof apiKeySecret === 'string' && apiKeyId && apiKeySecret)
    return { apiKeyId, apiKeySecret };
  throw new LoggableError(
    `The secret ${secretId} does not exist or is not {"apiKeyId": "…", "apiKeySecret": "…"}: put Argyle's API key into it.`,
  );
}

function parseJson(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text ?? '') ?? {};
  } catch {
    // The error's message contains the secret.
    return {};
  }
}
