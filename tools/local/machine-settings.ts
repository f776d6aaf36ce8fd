import { devNull } from 'node:os';
import { pseudoParameters } from './template.ts';

/**
 * Returns the options of an AWS client of the local pipeline. They are complete, so that the client reads neither variables
 * nor files of this machine, whose AWS settings do not apply to loopback endpoints.
 */
export function localClientOptions(endpoint: string) {
  return {
    endpoint,
    region: pseudoParameters['AWS::Region'],
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    maxAttempts: 3,
    retryMode: 'standard',
    // The other modes have a time-out for connections, which a busy machine exceeds.
    defaultsMode: 'legacy',
    // Of DynamoDB.
    accountIdEndpointMode: 'disabled',
    // Of SQS: the URLs of the template's queues do not always contain the host name of the endpoint.
    useQueueUrlAsEndpoint: false,
  } as const;
}

/** Returns variables for a child process without the AWS settings and proxies of this machine. */
export function withoutMachineSettings(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = Object.entries(variables).filter(([name]) => !/^AWS_|^NODE_USE_ENV_PROXY$|_PROXY$/i.test(name));
  const files = { AWS_CONFIG_FILE: devNull, AWS_SHARED_CREDENTIALS_FILE: devNull, AWS_EC2_METADATA_DISABLED: 'true' };
  return { ...Object.fromEntries(own), ...files };
}
