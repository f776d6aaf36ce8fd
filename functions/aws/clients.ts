import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';

// There are two attempts. Each waits at most 2 s for the response, then at most 2 s for each further part of it. An abandoned
// call therefore ends, unless its response trickles. Endpoint, region and credentials come from the environment. All other
// settings that the SDK would look up there or in files are set here to their defaults.
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

// Sends and postpones messages. No MD5 is verified: TLS protects the transfer. The middleware stack is built once instead of
// once per call, because no middleware is added later.
export const sqsClient = () =>
  new SQSClient({ ...options, useQueueUrlAsEndpoint: false, md5: false, cacheMiddleware: true });
export const dynamodbClient = () => new DynamoDBClient(options);
export const secretsManagerClient = () => new SecretsManagerClient(options);
export const cloudformationClient = () => new CloudFormationClient(options);
export const lambdaClient = () => new LambdaClient(options);

/**
 * Creates the signal that limits one AWS call: it aborts after 6.5 s, or when `deadline` does. The clients' own time-outs restart
 * with each byte. A response that trickles, or stalls in both attempts, would outlast the function's time-out, and its whole batch
 * would be retried without backoff.
 */
export function callDeadline(deadline?: AbortSignal): AbortSignal {
  const call = AbortSignal.timeout(6_500);
  return deadline ? AbortSignal.any([deadline, call]) : call;
}
