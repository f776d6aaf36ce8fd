import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { EventType } from '../../functions/domain/events.ts';
import { outputNames } from '../../infra/output-names.ts';

/** What every command is told: which stack, on which account, or the local pipeline. */
export type TargetOptions = {
  readonly stage: string;
  readonly profile?: string;
  readonly region?: string;
  /** The local pipeline instead of AWS; `port` is its PORT. */
  readonly local?: boolean;
  readonly port: string;
};

/** A deployed stack, or the local pipeline: where its parts are, and what the clients of AWS need to reach them. */
export type Target = {
  readonly stackName: string;
  readonly isLocal: boolean;
  readonly webhookUrl: string;
  readonly webhookSecretArn: string;
  readonly uploadTableName: string;
  readonly queueUrls: Readonly<Record<EventType, string>>;
  readonly quarantineQueueUrl: string;
  readonly logGroupNames: Readonly<Record<string, string>>;
  /** Absent without credentials for Argyle. */
  readonly reconciliationFunctionName: string | undefined;
  /** The options of a client of a service, as the SDK calls it in AWS_ENDPOINT_URL_<SERVICE>. */
  readonly clientOptions: (service: string) => ClientOptions;
};

/** What a user must put right; its text is all that they need to see. */
export class UsageError extends Error {}

type ClientOptions = {
  readonly region?: string;
  readonly profile?: string;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly useQueueUrlAsEndpoint?: boolean;
};

type LocalStack = {
  readonly stackName: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly endpoints: Readonly<Record<string, string>>;
};

/** Finds everything from the stack's outputs. Throws a UsageError when there is no such stack or no local pipeline. */
export async function findTarget(options: TargetOptions): Promise<Target> {
  return options.local ? findLocal(options.port) : findDeployed(options);
}

async function findLocal(port: string): Promise<Target> {
  const url = `http://127.0.0.1:${port}/console/stack`;
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok)
    throw new UsageError(`No local pipeline answers on port ${port}: run npm start, or give its --port.`);
  const { stackName, outputs, endpoints } = (await response.json()) as LocalStack;
  return targetOf(stackName, true, outputs, (service) => ({
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    useQueueUrlAsEndpoint: false,
    ...(endpoints[service] && { endpoint: endpoints[service] }),
  }));
}

async function findDeployed({ stage, profile, region }: TargetOptions): Promise<Target> {
  const stackName = `argyle-uploads-${stage}`;
  const clientOptions = { ...(profile && { profile }), ...(region && { region }) };
  const outputs = await readOutputs(new CloudFormationClient(clientOptions), stackName);
  return targetOf(stackName, false, outputs, () => clientOptions);
}

async function readOutputs(client: CloudFormationClient, stackName: string): Promise<Record<string, string>> {
  try {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
    return Object.fromEntries(
      (stack?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
    );
  } catch (error) {
    if ((error as Error).name !== 'ValidationError') throw error;
    throw new UsageError(
      `There is no stack ${stackName} in this account and region: deploy it, or choose --stage, --profile or --region.`,
    );
  }
}

function targetOf(
  stackName: string,
  isLocal: boolean,
  outputs: Readonly<Record<string, string>>,
  clientOptions: Target['clientOptions'],
): Target {
  const read = (name: string): string => {
    const value = outputs[name];
    if (value) return value;
    throw new UsageError(`The stack ${stackName} has no output ${name}: deploy this version of it first.`);
  };
  return {
    stackName,
    isLocal,
    webhookUrl: read(outputNames.webhookUrl),
    webhookSecretArn: read(outputNames.webhookSecretArn),
    uploadTableName: read(outputNames.uploadTableName),
    queueUrls: JSON.parse(read(outputNames.queueUrls)),
    quarantineQueueUrl: read(outputNames.quarantineQueueUrl),
    logGroupNames: JSON.parse(read(outputNames.logGroupNames)),
    reconciliationFunctionName: outputs[outputNames.reconciliationFunctionName],
    clientOptions,
  };
}
