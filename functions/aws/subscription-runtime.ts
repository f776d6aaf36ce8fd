import { createAskArgyle } from '../argyle/argyle-api.ts';
import { sleep } from '../argyle/retry.ts';
import { createWebhooks } from '../argyle/webhooks.ts';
import { createReadArgyleCredentials } from './argyle-credentials.ts';
import { dynamodbClient, secretsManagerClient } from './clients.ts';
import { environment, readVariable } from './environment.ts';
import { createWithLease } from './lease.ts';
import { createSecretVersions } from './secret-versions.ts';
import { createSubscriptionRegistryStore } from './subscription-registry-store.ts';
import { createTelemetry } from './telemetry.ts';

/** What the two functions that change the subscription share: the API, the secret, the memory, and the one lease. */
// once per cold start
export function subscriptionRuntime() {
  const credentialsId = readVariable(environment.argyleCredentialsId);
  const tableName = readVariable(environment.stateTableName);
  const [dynamodb, secretsManager] = [dynamodbClient(), secretsManagerClient()];
  const readCredentials = createReadArgyleCredentials(secretsManager, credentialsId, Date.now);
  const askArgyle = createAskArgyle(readVariable(environment.argyleApiUrl), readCredentials);
  return {
    webhooks: createWebhooks(askArgyle, credentialsId),
    versions: createSecretVersions(secretsManager, readVariable(environment.webhookSecretId)),
    memory: createSubscriptionRegistryStore(dynamodb, tableName),
    withLease: createWithLease(dynamodb, {
      tableName,
      id: 'subscription-lease',
      owner: crypto.randomUUID(),
      nowMs: Date.now,
      sleep,
    }),
    sleep,
    telemetry: createTelemetry(),
  };
}
