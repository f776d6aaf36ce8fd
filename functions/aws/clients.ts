import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';

// One try waits 2 s at most for its answer, then 2 s for more of it, and there are two. What nobody waits for any more
// ends by itself so, unless it trickles. Endpoints, region and credentials come from the environment. What else the SDK would look for
// there and in files, which no function has, is said here, as it is by default.
const options = {
  maxAttempts: 2,
  retryMode: 'standard',
  defaultsMode: 'legacy',
  useDualstackEndpoint: false,
  useFipsEndpoint: false,
  authSchemePreference: [],
  userAgentAppId: async () => undefined,
  // Lambda's clock is right. An answer that was on its way while the function was frozen would set it back.
  disableClockSkewCorrection: true,
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    throwOnRequestTimeout: true,
    socketTimeout: 2_000,
  },
} satisfies SQSClientConfig;

/**
 * SQS, for sending and postponing. It verifies no MD5 of its own: TLS and the queue's answer say enough. Its layers are put
 * together once, not for each call: none is added later.
 */
export function sqsClient(): SQSClient {
  return new SQSClient({ ...options, useQueueUrlAsEndpoint: false, md5: false, cacheMiddleware: true });
}

/** DynamoDB, for the upload records and what the stack remembers. */
export function dynamodbClient(): DynamoDBClient {
  return new DynamoDBClient(options);
}

/** Secrets Manager, for the webhook secret and Argyle's API key. */
export function secretsManagerClient(): SecretsManagerClient {
  return new SecretsManagerClient(options);
}

/** CloudFormation, for the state of the stack. */
export function cloudformationClient(): CloudFormationClient {
  return new CloudFormationClient(options);
}

/** Lambda, for a function that goes on in a new invocation. */
export function lambdaClient(): LambdaClient {
  return new LambdaClient(options);
}

/**
 * Bounds one call of a worker: 6.5 s, and what is left of `whole`. The clients' own time-outs count from byte to byte: an answer
 * that trickles, or stalls at both tries, would outlast the function, and the whole batch would come back without back-off.
 */
export function callDeadline(whole?: AbortSignal): AbortSignal {
  const call = AbortSignal.timeout(6_500);
  return whole ? AbortSignal.any([whole, call]) : call;
}
