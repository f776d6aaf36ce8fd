import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';

// An attempt waits at most 2 s for its response and then at most 2 s for each further part, and there are two attempts. Abandoned
// calls therefore end unless their response trickles. Endpoint, region and credentials come from the environment. All other settings
// that the SDK would look up there or in files are set here to their defaults.
const options = {
  maxAttempts: 2,
  retryMode: 'standard',
  defaultsMode: 'legacy',
  useDualstackEndpoint: false,
  useFipsEndpoint: false,
  authSchemePreference: [],
  userAgentAppId: async () => undefined,
  // Lambda's clock is right. A response that was in flight while the function was frozen would set it back.
  disableClockSkewCorrection: true,
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    throwOnRequestTimeout: true,
    socketTimeout: 2_000,
  },
} satisfies SQSClientConfig;

/**
 * Creates the SQS client, for sending and postponing. It verifies no MD5: TLS protects the transfer. Its middleware stack is
 * built once instead of once per call, because no middleware is added later.
 */
export function sqsClient(): SQSClient {
  return new SQSClient({ ...options, useQueueUrlAsEndpoint: false, md5: false, cacheMiddleware: true });
}

/** Creates the DynamoDB client, for the upload records and the state table. */
export function dynamodbClient(): DynamoDBClient {
  return new DynamoDBClient(options);
}

/** Creates the Secrets Manager client, for the webhook secret and Argyle's API key. */
export function secretsManagerClient(): SecretsManagerClient {
  return new SecretsManagerClient(options);
}

/** Creates the CloudFormation client, for the state of the stack. */
export function cloudformationClient(): CloudFormationClient {
  return new CloudFormationClient(options);
}

/** Creates the Lambda client, for a function that continues in a new invocation. */
export function lambdaClient(): LambdaClient {
  return new LambdaClient(options);
}

/**
 * Creates the signal that limits one AWS call: it aborts after 6.5 s, or when `deadline` does. The clients' own time-outs restart with
 * each byte: a response that trickles, or stalls in both attempts, would outlast the function's time-out, and its whole batch would
 * be retried without backoff.
 */
export function callDeadline(deadline?: AbortSignal): AbortSignal {
  const call = AbortSignal.timeout(6_500);
  return deadline ? AbortSignal.any([deadline, call]) : call;
}
