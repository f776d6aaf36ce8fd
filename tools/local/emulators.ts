import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { type CloudFormation, startCloudFormation } from './cloudformation.ts';
import type { Lambda } from './lambda.ts';
import { type Emulator, onPort, startEmulator, startHttpEmulator } from './loopback.ts';
import { localClientOptions } from './machine-settings.ts';
import { type LocalSecret, type Rotate, startSecretsManager } from './secrets-manager.ts';

/** The AWS services that the functions call. */
export type AwsService = keyof typeof endpointNames;

/** The running emulators of AWS services, with clients of those that the pipeline itself calls. */
export type Emulators = {
  readonly endpoints: Readonly<Record<AwsService, string>>;
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  /** The content of Secrets Manager, by ARN or name. */
  readonly secrets: Map<string, LocalSecret>;
  readonly cloudformation: CloudFormation;
};

/** The service's name in the SDK's variable AWS_ENDPOINT_URL_<SERVICE>. */
export const endpointNames = {
  dynamodb: 'DYNAMODB',
  sqs: 'SQS',
  lambda: 'LAMBDA',
  secretsmanager: 'SECRETS_MANAGER',
  cloudformation: 'CLOUDFORMATION',
} as const;

/**
 * Starts all emulators. Calls `keep` with each one as soon as it runs, so that the caller can stop it if a later one fails.
 * Throws an error that names the variable when a port is taken.
 */
export async function startEmulators(
  ports: { readonly dynamodb: number; readonly sqs: number },
  { functions, rotate }: { readonly functions: ReadonlyMap<string, Lambda>; readonly rotate: Rotate },
  keep: (emulator: Emulator) => void,
): Promise<Emulators> {
  const endpointOf = (emulator: Emulator): string => {
    keep(emulator);
    return emulator.endpoint;
  };
  const secrets = new Map<string, LocalSecret>();
  const cloudformation = await startCloudFormation();
  const endpoints = {
    cloudformation: endpointOf(cloudformation),
    dynamodb: endpointOf(await onPort('DYNAMODB_PORT', ports.dynamodb, startEmulator('dynamodb', ports.dynamodb))),
    sqs: endpointOf(await onPort('SQS_PORT', ports.sqs, startEmulator('sqs', ports.sqs))),
    lambda: endpointOf(await startLambdaEmulator(functions)),
    secretsmanager: endpointOf(await startSecretsManager(secrets, rotate)),
  };
  return {
    endpoints,
    dynamodb: new DynamoDBClient(localClientOptions(endpoints.dynamodb)),
    sqs: new SQSClient({ ...localClientOptions(endpoints.sqs), md5: false }),
    secrets,
    cloudformation,
  };
}

/**
 * Starts a Lambda emulator with one action, Invoke, synchronous and asynchronous. A function's name is its logical id.
 * Asynchronous invocations that fail are not retried; Lambda itself retries twice.
 */
export async function startLambdaEmulator(functions: ReadonlyMap<string, Lambda>): Promise<Emulator> {
  return startHttpEmulator(async (request, response) => {
    const name = /^\/2015-03-31\/functions\/(?:[^/]*:)?([^/:]+)\/invocations$/.exec(
      decodeURIComponent(request.url ?? ''),
    )?.[1];
    const lambda = functions.get(name ?? '');
    if (request.method !== 'POST' || !lambda) return answerNotFound(response);
    const event: unknown = JSON.parse((await text(request)) || '{}');
    const invocation = lambda.invoke(event);
    if (request.headers['x-amz-invocation-type'] === 'Event') {
      // The function has already printed its error.
      invocation.catch(() => undefined);
      response.writeHead(202).end();
      return;
    }
    await invocation.then(
      (result) => response.end(JSON.stringify(result ?? null)),
      (error: Error) => {
        response.setHeader('x-amz-function-error', 'Unhandled');
        response.end(JSON.stringify({ errorType: 'Error', errorMessage: error.message }));
      },
    );
  });
}

function answerNotFound(response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'application/json', 'x-amzn-errortype': 'ResourceNotFoundException' });
  response.end(JSON.stringify({ Type: 'User', Message: 'There is no such function.' }));
}
