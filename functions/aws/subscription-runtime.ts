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

/** Creates the dependencies that the subscription and rotation functions share, including their lease. */
// once per cold start
export function subscriptionRuntime() {
  const secretName = readVariable(environment.argyleCredentialsId);
  const tableName = readVariable(environment.stateTableName);
  const [dynamodb, secretsManager] = [dynamodbClient(), secretsManagerClient()];
  const readCredentials = createReadArgyleCredentials(secretsManager, secretName, Date.now);
  const askArgyle = createAskArgyle(readVariable(environment.argyleApiUrl), readCredentials);
  return {
    webhooks: createWebhooks(askArgyle, secretName),
    versions: createSecretVersions(secretsManager, readVariable(environment.webhookSecretId)),
    registry: createSubscriptionRegistryStore(dynamodb, tableName),
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
