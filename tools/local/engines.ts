import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { type CloudFormation, startCloudFormation } from './cloudformation.ts';
import { type Engine, startEngine } from './engine.ts';
import type { Lambda } from './lambda.ts';
import { startLambdaEngine } from './lambda-engine.ts';
import { onPort } from './loopback.ts';
import type { LocalSecret } from './secret.ts';
import { type Rotate, startSecretsEngine } from './secrets-engine.ts';
import { pseudoParameters } from './template.ts';

/** The AWS services that the functions call. */
export type AwsService = keyof typeof endpointNames;

/** The engines that stand in for AWS on this machine. */
export type Engines = {
  readonly endpoints: Readonly<Record<AwsService, string>>;
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly secrets: Map<string, LocalSecret>;
  readonly cloudformation: CloudFormation;
};

/** What the engines need of the pipeline once it runs. */
export type EngineHooks = { readonly functions: () => ReadonlyMap<string, Lambda>; readonly rotate: Rotate };

/** The service as the SDK spells it in AWS_ENDPOINT_URL_<SERVICE>. */
export const endpointNames = {
  dynamodb: 'DYNAMODB',
  sqs: 'SQS',
  lambda: 'LAMBDA',
  secretsmanager: 'SECRETS_MANAGER',
  cloudformation: 'CLOUDFORMATION',
} as const;

/** Starts them all; `keep` is told of each, so that it can be stopped. Throws one sentence when a port is taken. */
export async function startEngines(
  ports: { readonly dynamodb: number; readonly sqs: number },
  { functions, rotate }: EngineHooks,
  keep: (engine: Engine) => string,
): Promise<Engines> {
  const secrets = new Map<string, LocalSecret>();
  const cloudformation = await startCloudFormation();
  keep(cloudformation);
  const endpoints = {
    dynamodb: keep(await onPort('DYNAMODB_PORT', ports.dynamodb, startEngine('dynamodb', ports.dynamodb))),
    sqs: keep(await onPort('SQS_PORT', ports.sqs, startEngine('sqs', ports.sqs))),
    lambda: keep(await startLambdaEngine(functions)),
    secretsmanager: keep(await startSecretsEngine(secrets, rotate)),
    cloudformation: cloudformation.endpoint,
  };
  const client = {
    // Whatever the machine's own AWS settings say: these endpoints are on the loopback address.
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    region: pseudoParameters['AWS::Region'],
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  return {
    endpoints,
    dynamodb: new DynamoDBClient({ ...client, endpoint: endpoints.dynamodb }),
    sqs: new SQSClient({ ...client, endpoint: endpoints.sqs, md5: false }),
    secrets,
    cloudformation,
  };
}
