import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { EventType } from '../../functions/domain/events.ts';
import { outputNames } from '../../infra/output-names.ts';
import { fetchWithoutProxy } from '../local/loopback-fetch.ts';
import { localClientOptions } from '../local/machine-settings.ts';

/** The options of every command that choose its target. */
export type TargetOptions = {
  readonly stage: string;
  readonly profile?: string;
  readonly region?: string;
  /** The local pipeline instead of AWS; `port` is its PORT. */
  readonly local?: boolean;
  readonly port: string;
};

/** A deployed stack or the local pipeline: the names of its resources, and how to reach them. */
export type Target = Readonly<ReturnType<typeof targetOf>>;

/** A mistake that the user must correct. Its message is printed without a stack trace; the exit code is 2. */
export class UsageError extends Error {}

type ClientOptions = Partial<Omit<ReturnType<typeof localClientOptions>, 'region'>> & {
  readonly region?: string;
  readonly profile?: string;
};

// The local pipeline answers within milliseconds, even under load.
const localLimitMs = 10_000;

/** Reads the target from the stack's outputs. Throws a UsageError if there is no such stack or local pipeline. */
export async function findTarget(options: TargetOptions): Promise<Target> {
  return options.local ? findLocal(options) : findDeployed(options);
}

/** Returns the options of AWS clients. Without profile and region the SDK's default order applies. */
export function awsClientOptions({ profile, region }: Pick<TargetOptions, 'profile' | 'region'>): ClientOptions {
  return { ...(profile && { profile }), ...(region && { region }) };
}

async function findLocal({ port }: TargetOptions): Promise<Target> {
  const stack = await readLocalStack(port);
  if (stack === 'unreachable')
    throw new UsageError(`No local pipeline answers on port ${port}: run npm start, or set its port with --port.`);
  if (stack === 'foreign')
    throw new UsageError(
      `Another program than the local pipeline answers on port ${port}: run npm start, or set its port with --port.`,
    );
  const { stackName, outputs, endpoints } = stack;
  const command = `npm run uploads -- --local${port === '8787' ? '' : ` --port ${port}`}`;
  return targetOf(stackName, command, true, outputs, (service) => {
    const endpoint = endpoints[service];
    if (endpoint) return localClientOptions(endpoint);
    throw new UsageError(`The local pipeline has no emulator of ${service}.`);
  });
}

type LocalStack = {
  readonly stackName: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly endpoints: Readonly<Record<string, string>>;
};

async function readLocalStack(port: string): Promise<LocalStack | 'unreachable' | 'foreign'> {
  const signal = AbortSignal.timeout(localLimitMs);
  const response = await fetchWithoutProxy(`http://127.0.0.1:${port}/console/stack`, { signal }).catch(() => undefined);
  if (!response) return 'unreachable';
  const stack: unknown = await response.json().catch(() => undefined);
  return response.ok && isLocalStack(stack) ? stack : 'foreign';
}

function isLocalStack(stack: unknown): stack is LocalStack {
  const { stackName, outputs, endpoints } = Object(stack);
  return typeof stackName === 'string' && outputs?.[outputNames.webhookUrl] && endpoints?.SQS;
}

async function findDeployed(options: TargetOptions): Promise<Target> {
  const stackName = `argyle-uploads-${options.stage}`;
  const clientOptions = awsClientOptions(options);
  const outputs = await readOutputs(new CloudFormationClient(clientOptions), stackName);
  const { stage, profile, region } = options;
  const flags = Object.entries({ stage: stage === 'sandbox' ? undefined : stage, profile, region });
  const words = flags.flatMap(([flag, value]) => (value ? [`--${flag} ${value}`] : []));
  return targetOf(stackName, ['npm run uploads --', ...words].join(' '), false, outputs, () => clientOptions);
}

async function readOutputs(client: CloudFormationClient, stackName: string): Promise<Record<string, string>> {
  try {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
    return Object.fromEntries(
      (stack?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
    );
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'CredentialsProviderError' || message === 'Region is missing')
      throw new UsageError(
        `${message}. Set AWS_REGION or --region, and AWS credentials or --profile; or use --local for the local pipeline.`,
      );
    if (name !== 'ValidationError') throw error;
    throw new UsageError(
      `There is no stack ${stackName} in this account and region: deploy it, or choose --stage, --profile or --region.`,
    );
  }
}

function targetOf(
  stackName: string,
  // The command line that reaches this target, for hints.
  command: string,
  isLocal: boolean,
  outputs: Readonly<Record<string, string>>,
  // By service, as the SDK names it in AWS_ENDPOINT_URL_<SERVICE>.
  clientOptions: (service: string) => ClientOptions,
) {
  const read = (name: string): string => {
    const value = outputs[name];
    if (value) return value;
    throw new UsageError(`The stack ${stackName} has no output ${name}: deploy this version first.`);
  };
  return {
    stackName,
    command,
    isLocal,
    clientOptions,
    webhookUrl: read(outputNames.webhookUrl),
    webhookSecretArn: read(outputNames.webhookSecretArn),
    uploadTableName: read(outputNames.uploadTableName),
    queueUrls: JSON.parse(read(outputNames.queueUrls)) as Readonly<Record<EventType, string>>,
    quarantineQueueUrl: read(outputNames.quarantineQueueUrl),
    logGroupNames: JSON.parse(read(outputNames.logGroupNames)) as Readonly<Record<string, string>>,
    // These are absent without credentials for Argyle.
    reconciliationFunctionName: outputs[outputNames.reconciliationFunctionName],
    subscriptionFunctionName: outputs[outputNames.subscriptionFunctionName],
    subscriptionName: outputs[outputNames.subscriptionName],
    stateTableName: outputs[outputNames.stateTableName],
  };
}
