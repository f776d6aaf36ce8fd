import { createServer } from 'node:http';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { environment } from '../functions/environment.ts';
import { createArgyleControl } from './argyle/control.ts';
import { type CloudFormation, createCustomResources, startCloudFormation } from './cloudformation.ts';
import { createConsole } from './console.ts';
import { type Engine, startEngine } from './engine.ts';
import { forkEnvironment, type StartEnvironment } from './execution-environment.ts';
import { createGateway } from './gateway.ts';
import type { Lambda } from './lambda.ts';
import { startLambdaEngine } from './lambda-engine.ts';
import { close, listen, onPort } from './loopback.ts';
import { provision } from './provision.ts';
import { type Schedule, schedulesOf } from './schedules.ts';
import { createSecret, type LocalSecret } from './secret.ts';
import { startSecretsEngine } from './secrets-engine.ts';
import { pseudoParameters, readTemplate } from './template.ts';
import { consoleView, type LocalStack, routesOf, runEventSources, startFunctions, valuesOf } from './wiring.ts';

/** What the local pipeline is started with; port 0 takes a free one. */
export type PipelineOptions = {
  /** The folder of a cloud assembly, outside of the repository. */
  readonly assembly: string;
  readonly ports: { readonly gateway: number; readonly dynamodb: number; readonly sqs: number };
  readonly webhookSecret: string;
  /** The stand-in for Argyle's API, with the key to it; a stack without credentials asks nobody. */
  readonly argyle?: ArgyleStandIn;
  /** Each line that a function prints. */
  readonly onLog: (functionName: string, line: string) => void;
  readonly onWarning: (text: string) => void;
  /** Puts something between the functions and an engine, to watch or to disturb: gives the endpoint to use instead. */
  readonly interpose?: (service: AwsService, endpoint: string) => Promise<string>;
  /** What the functions run in; by default child processes. */
  readonly startEnvironment?: StartEnvironment;
};

/** Argyle's API on this machine: its base URL, and what the secret with the credentials holds. */
export type ArgyleStandIn = {
  readonly url: string;
  readonly controlUrl: string;
  readonly credentials: { readonly apiKeyId: string; readonly apiKeySecret: string };
};

/** The AWS services that the functions call. */
export type AwsService = 'dynamodb' | 'sqs' | 'secretsmanager' | 'lambda' | 'cloudformation';

/** The running pipeline. */
export type Pipeline = LocalStack & {
  readonly webhookUrl: string;
  readonly dynamodbEndpoint: string;
  readonly sqsEndpoint: string;
  /** The secrets by ARN or name; what is changed here is what the functions read next. */
  readonly secrets: Map<string, LocalSecret>;
  readonly functions: ReadonlyMap<string, Lambda>;
  /** What the template's schedules start, by their logical id. Here nothing starts by itself. */
  readonly schedules: ReadonlyMap<string, Schedule>;
  readonly cloudformation: CloudFormation;
  readonly stop: () => Promise<void>;
};

/**
 * Runs the synthesized stack on this machine: embedded engines provisioned from the template, the bundled functions
 * in child processes, API Gateway and Lambda's event source mappings emulated. Throws one sentence when a port is taken.
 */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const stops: (() => unknown)[] = [];
  const stop = async () => {
    for (const stopOne of stops.splice(0).reverse()) await stopOne();
  };
  try {
    return await start(options, stops, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(options: PipelineOptions, stops: (() => unknown)[], stop: () => Promise<void>): Promise<Pipeline> {
  const keep = (engine: Engine): string => {
    stops.push(engine.stop);
    return engine.endpoint;
  };
  const server = createServer();
  stops.push(() => close(server));
  const gatewayUrl = await onPort('PORT', options.ports.gateway, listen(server, options.ports.gateway));
  const dynamodbEndpoint = keep(
    await onPort('DYNAMODB_PORT', options.ports.dynamodb, startEngine('dynamodb', options.ports.dynamodb)),
  );
  const sqsEndpoint = keep(await onPort('SQS_PORT', options.ports.sqs, startEngine('sqs', options.ports.sqs)));
  const secrets = new Map<string, LocalSecret>();
  const secretsEndpoint = keep(await startSecretsEngine(secrets));
  const cloudformation = await startCloudFormation();
  const cloudformationEndpoint = keep(cloudformation);

  const client = {
    // Whatever the machine's own AWS settings say: these endpoints are on the loopback address.
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    region: pseudoParameters['AWS::Region'],
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  const dynamodb = new DynamoDBClient({ ...client, endpoint: dynamodbEndpoint });
  const sqs = new SQSClient({ ...client, endpoint: sqsEndpoint, md5: false });
  const template = readTemplate(options.assembly);
  const { webhookSecret, onLog, onWarning } = options;
  const { identities, unknownTypes } = await provision(template, {
    sqs,
    dynamodb,
    secrets,
    sqsEndpoint,
    gatewayUrl,
    webhookSecret,
  });
  for (const type of unknownTypes) onWarning(`The local pipeline leaves out ${type}: it does not know that type.`);

  const stack: LocalStack = { template, identities };
  if (options.argyle) keepCredentials(stack, secrets, options.argyle);
  const standIns = options.argyle ? { [environment.argyleApiUrl]: options.argyle.url } : {};
  const { interpose = async (_, endpoint) => endpoint, startEnvironment = forkEnvironment } = options;
  let functions: ReadonlyMap<string, Lambda> = new Map();
  const lambdaEndpoint = keep(await startLambdaEngine(() => functions));
  const endpoints = {
    AWS_ENDPOINT_URL_DYNAMODB: await interpose('dynamodb', dynamodbEndpoint),
    AWS_ENDPOINT_URL_SQS: await interpose('sqs', sqsEndpoint),
    AWS_ENDPOINT_URL_LAMBDA: await interpose('lambda', lambdaEndpoint),
    AWS_ENDPOINT_URL_SECRETS_MANAGER: await interpose('secretsmanager', secretsEndpoint),
    AWS_ENDPOINT_URL_CLOUDFORMATION: await interpose('cloudformation', cloudformationEndpoint),
  };
  functions = await startFunctions(stack, onLog, standIns, endpoints, startEnvironment);
  const polling = new AbortController();
  const sources = runEventSources(stack, functions, sqs, polling.signal);
  stops.push(async () => {
    await close(server);
    polling.abort();
    for (const lambda of functions.values()) lambda.stop();
    await sources;
  });

  const webhookUrl = `${gatewayUrl}/webhooks/argyle`;
  const argyle = options.argyle && createArgyleControl(options.argyle.controlUrl);
  const console = createConsole({ dynamodb, sqs, webhookUrl, webhookSecret, argyle, ...consoleView(stack) });
  server.on('request', createGateway(routesOf(stack, functions), console));
  // Without a stand-in they would reach the real Argyle.
  if (options.argyle) await createCustomResources(stack, functions, cloudformation);
  const schedules = schedulesOf(stack, functions);
  return { webhookUrl, dynamodbEndpoint, sqsEndpoint, ...stack, secrets, functions, schedules, cloudformation, stop };
}

// The credentials' secret is the customer's own: the template names it and does not make it.
function keepCredentials(stack: LocalStack, secrets: Map<string, LocalSecret>, { credentials }: ArgyleStandIn): void {
  for (const id of valuesOf(environment.argyleCredentialsId, stack))
    secrets.set(id, createSecret(JSON.stringify(credentials)));
}
