import { type ArgyleCredentials, createAskArgyle, type ReadCredentials } from '../argyle/argyle-api.ts';
import { sleep } from '../argyle/retry.ts';
import { createWebhooks } from '../argyle/webhooks.ts';
import { createReadArgyleCredentials } from './argyle-credentials.ts';
import { dynamodbClient, secretsManagerClient } from './clients.ts';
import { environment, readVariable } from './environment.ts';
import { createWithLease, type WithLease } from './lease.ts';
import { createSecretVersions } from './secret-versions.ts';
import { createSubscriptionRegistryStore } from './subscription-registry-store.ts';
import { createTelemetry } from './telemetry.ts';

/** Creates the dependencies that the subscription and rotation functions share, including their lease. */
// once per cold start
export function subscriptionRuntime() {
  const secretName = readVariable(environment.argyleCredentialsId);
  const tableName = readVariable(environment.stateTableName);
  const [dynamodb, secretsManager] = [dynamodbClient(), secretsManagerClient()];
  const readCredentials = createReadArgyleCredentials(secretsManager, secretName, Date.now);
  const withLease = createWithLease(dynamodb, {
    tableName,
    id: 'subscription-lease',
    owner: crypto.randomUUID(),
    nowMs: Date.now,
    sleep,
  });
  const oneKey = pinKeyDuringLease(readCredentials, withLease);
  const askArgyle = createAskArgyle(readVariable(environment.argyleApiUrl), oneKey.readCredentials);
  return {
    webhooks: createWebhooks(askArgyle, secretName),
    versions: createSecretVersions(secretsManager, readVariable(environment.webhookSecretId)),
    registry: createSubscriptionRegistryStore(dynamodb, tableName),
    withLease: oneKey.withLease,
    sleep,
    telemetry: createTelemetry(),
  };
}

/**
 * Returns both functions so that all requests to Argyle during the work under one lease use the same API key. A key that is replaced
 * after the work has proved that it is ours could belong to another workspace.
 */
export function pinKeyDuringLease(
  readCredentials: ReadCredentials,
  withLease: WithLease,
): { readonly readCredentials: ReadCredentials; readonly withLease: WithLease } {
  let isLeased = false;
  let pinned: ArgyleCredentials | undefined;
  return {
    readCredentials: async (signal) => {
      const key = pinned ?? (await readCredentials(signal));
      if (isLeased) pinned = key;
      return key;
    },
    withLease: (work, deadline) =>
      withLease(async (signal) => {
        isLeased = true;
        try {
          return await work(signal);
        } finally {
          isLeased = false;
          pinned = undefined;
        }
      }, deadline),
  };
}
