import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createAskArgyle } from '../../../functions/argyle/argyle-api.ts';
import { createWebhooks } from '../../../functions/argyle/webhooks.ts';
import { environment } from '../../../functions/aws/environment.ts';
import { createWithLease } from '../../../functions/aws/lease.ts';
import { createSecretVersions } from '../../../functions/aws/secret-versions.ts';
import { createSubscriptionRegistryStore } from '../../../functions/aws/subscription-registry-store.ts';
import { createRotation } from '../../../functions/rotation/handler.ts';
import { rotationSteps } from '../../../tools/local/rotate-secret.ts';
import { startSecretsEngine } from '../../../tools/local/secrets-engine.ts';
import { valuesOf } from '../../../tools/local/wiring.ts';
import { fakeTelemetry } from '../fakes/fakes.ts';
import { clientConfig } from './emulators.ts';
import { argyleKey, type ConnectedPipeline } from './local-pipeline.ts';

/** Rotates the webhook secret of a pipeline in this process, on the pipeline's emulators and fake Argyle, without waiting. */
export async function rotateWithoutWaits(pipeline: ConnectedPipeline): Promise<void> {
  const engine = await startSecretsEngine(pipeline.secrets);
  const [secretId = ''] = valuesOf(environment.webhookSecretId, pipeline);
  const [tableName = ''] = valuesOf(environment.stateTableName, pipeline);
  const dynamodb = new DynamoDBClient(clientConfig(pipeline.dynamodbEndpoint));
  const sleep = async () => undefined;
  const rotation = createRotation({
    webhooks: createWebhooks(
      createAskArgyle(pipeline.argyleUrl, async () => argyleKey),
      'argyle/api-key',
    ),
    versions: createSecretVersions(new SecretsManagerClient(clientConfig(engine.endpoint)), secretId),
    registry: createSubscriptionRegistryStore(dynamodb, tableName),
    withLease: createWithLease(dynamodb, { tableName, id: 'lease', owner: 'test', nowMs: Date.now, sleep }),
    sleep,
    newSecret: () => randomUUID().replaceAll('-', '').repeat(2),
    telemetry: fakeTelemetry().telemetry,
    stepMs: 60_000,
  });
  const ClientRequestToken = randomUUID();
  for (const Step of rotationSteps) await rotation({ Step, SecretId: secretId, ClientRequestToken });
  dynamodb.destroy();
  await engine.stop();
}
