import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { ArgyleCredentials } from '../argyle/argyle-api.ts';
import { LoggableError } from '../domain/loggable-error.ts';
import { callDeadline } from './clients.ts';

// A new key takes effect within this time, without a deployment.
const cacheMs = 5 * 60_000;

/**
 * Creates a function that reads Argyle's API key, `{"apiKeyId": "…", "apiKeySecret": "…"}`, from Secrets Manager and caches it for
 * 5 minutes. It throws when the secret cannot be read or is not in this form. The message names the secret, never its value.
 */
export function createReadArgyleCredentials(
  client: SecretsManagerClient,
  secretId: string,
  nowMs: () => number,
): () => Promise<ArgyleCredentials> {
  let cached: ArgyleCredentials | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;
  return async () => {
    if (cached && nowMs() - readAtMs < cacheMs) return cached;
    cached = readCredentials(await readSecret(client, secretId), secretId);
    readAtMs = nowMs();
    return cached;
  };
}

async function readSecret(client: SecretsManagerClient, secretId: string): Promise<string | undefined> {
  try {
    const command = new GetSecretValueCommand({ SecretId: secretId });
    return (await client.send(command, { abortSignal: callDeadline() })).SecretString;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

function readCredentials(text: string | undefined, secretId: string): ArgyleCredentials {
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
