import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { environment } from '../../../functions/aws/environment.ts';
import type { SeedBlock } from '../../../tools/fake-argyle/seeded-upload.ts';
import { startLambdaEmulator } from '../../../tools/local/emulators.ts';
import { forkEnvironment, type Lambda, startLambda } from '../../../tools/local/lambda.ts';
import { startEmulator } from '../../../tools/local/loopback.ts';
import { createSecret, startSecretsManager } from '../../../tools/local/secrets-manager.ts';
import { synthesize } from '../../../tools/local/synthesize.ts';
import { readTemplate } from '../../../tools/local/template.ts';
import { clientConfig } from '../../support/emulators/emulators.ts';
import { startRecordsServer } from './records-server.ts';

/** The key that the measured function has. */
export const argyleKey = { apiKeyId: 'id', apiKeySecret: 'secret' } as const;

const names = { uploads: 'uploads', state: 'state', secret: 'argyle/api-key' } as const;

/**
 * Starts the bundled reconciliation in one process of its own, as Lambda would, over records that are made from these blocks.
 * What is to be stopped afterwards is added to `stops`.
 */
export async function startMeasuredFunction(
  argyleUrl: string,
  blocks: readonly SeedBlock[],
  stops: (() => unknown)[],
  onLog: (line: string) => void,
): Promise<Lambda> {
  const assembly = await synthesize({ stage: 'sandbox', argyleCredentials: names.secret });
  stops.push(assembly.remove);
  const template = readTemplate(assembly.directory);
  const [schedule] = template.ofType('AWS::Scheduler::Schedule');
  const [logicalId] = schedule?.properties.Target.Arn['Fn::GetAtt'] ?? [];
  const resource = template.resources.find((candidate) => candidate.logicalId === logicalId);
  if (!resource) throw new Error('The template has no schedule with a function.');

  const dynamodb = await startEmulator('dynamodb', 0);
  stops.push(dynamodb.stop);
  await createStateTable(dynamodb.endpoint);
  const records = await startRecordsServer(names.uploads, blocks, dynamodb.endpoint);
  const value = JSON.stringify(argyleKey);
  const secrets = await startSecretsManager(new Map([[names.secret, createSecret(value)]]));
  const functions = new Map<string, Lambda>();
  const self = await startLambdaEmulator(functions);
  stops.push(records.stop, secrets.stop, self.stop);
  // What refers to other resources is replaced below, or not used.
  const variables = Object.entries(resource.properties.Environment.Variables).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : 'unused',
  ]);
  const lambda = await startLambda({
    name: resource.logicalId,
    codeDirectory: template.codeDirectory(resource),
    handler: resource.properties.Handler,
    environment: {
      ...Object.fromEntries(variables),
      [environment.tableName]: names.uploads,
      [environment.stateTableName]: names.state,
      [environment.argyleApiUrl]: argyleUrl,
      [environment.argyleCredentialsId]: names.secret,
      AWS_ENDPOINT_URL_DYNAMODB: records.endpoint,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
      AWS_ENDPOINT_URL_LAMBDA: self.endpoint,
    },
    timeoutSeconds: resource.properties.Timeout,
    memoryMegabytes: resource.properties.MemorySize,
    concurrency: 1,
    onLog,
    startEnvironment: forkEnvironment,
  });
  functions.set(lambda.name, lambda);
  stops.push(lambda.stop);
  return lambda;
}

async function createStateTable(endpoint: string): Promise<void> {
  const client = new DynamoDBClient(clientConfig(endpoint));
  await client.send(
    new CreateTableCommand({
      TableName: names.state,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    }),
  );
  client.destroy();
}
