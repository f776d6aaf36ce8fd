import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';

// There are two attempts. Each waits at most 2 s for the response, then at most 2 s for each further part of it. A call that
// its caller has given up therefore still ends, unless its response keeps arriving slowly. Endpoint, region and credentials
// come from the environment. All other settings that the SDK would look up there or in files are set here to their defaults.
const options = {
  maxAttempts: 2,
  retryMode: 'standard',
  defaultsMode: 'legacy',
  useDualstackEndpoint: false,
  useFipsEndpoint: false,
  authSchemePreference: [],
  userAgentAppId: async () => undefined,
  // Lambda's clock is correct. After a freeze, the SDK would set it back by the date of a response that was in flight.
  disableClockSkewCorrection: true,
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    throwOnRequestTimeout: true,
    socketTimeout: 2_000,
  },
} satisfies SQSClientConfig;

// This client sends and postpones messages. It does not verify MD5 digests, because TLS protects the transfer. It builds its
// middleware stack once instead of once per call, because no middleware is added later.
export const sqsClient = () =>
  new SQSClient({ ...options, useQueueUrlAsEndpoint: false, md5: false, cacheMiddleware: true });
export const dynamodbClient = () => new DynamoDBClient(options);
export const secretsManagerClient = () => new SecretsManagerClient(options);
export const cloudformationClient = () => new CloudFormationClient(options);
export const lambdaClient = () => new LambdaClient(options);

/** The time limit of one AWS call. */
export const callLimitMs = 6_500;

/**
 * Returns a signal that limits one AWS call. It aborts after 6.5 s, or when `deadline` aborts. The clients' own time-outs restart
 * with each byte. Without this limit, a response that arrives slowly, or stalls in both attempts, would exceed the function's
 * time-out, and all messages of the batch would be retried without backoff.
 */
export function callDeadline(deadline?: AbortSignal): AbortSignal {
  const call = AbortSignal.timeout(callLimitMs);
  return deadline ? AbortSignal.any([deadline, call]) : call;
}
