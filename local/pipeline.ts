import { createServer } from 'node:http';
import { environment } from '../functions/environment.ts';
import { createArgyleControl } from './argyle/control.ts';
import { type CloudFormation, createCustomResources } from './cloudformation.ts';
import { type ConsoleOptions, createConsole } from './console.ts';
import { type AwsService, type EngineHooks, type Engines, endpointNames, startEngines } from './engines.ts';
import { forkEnvironment, type StartEnvironment } from './execution-environment.ts';
import { createGateway } from './gateway.ts';
import type { Lambda } from './lambda.ts';
import { createLogStream, type LogStream } from './log-stream.ts';
import { close, listen, onPort } from './loopback.ts';
import { provision } from './provision.ts';
import { rotateSecret } from './rotate-secret.ts';
import { type Schedule, schedulesOf } from './schedules.ts';
import { createSecret, type LocalSecret } from './secret.ts';
import { readTemplate, resolve } from './template.ts';
import { consoleView, type LocalStack, routesOf, runEventSources, startFunctions, valuesOf } from './wiring.ts';

export type { AwsService } from './engines.ts';

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
  const server = createServer();
  stops.push(() => close(server));
  const gatewayUrl = await onPort('PORT', options.ports.gateway, listen(server, options.ports.gateway));
  let functions: ReadonlyMap<string, Lambda> = new Map();
  const hooks: EngineHooks = {
    functions: () => functions,
    rotate: (token) => rotateSecret({ ...stack, secrets, functions }, token),
  };
  const engines = await startEngines(options.ports, hooks, (engine) => {
    stops.push(engine.stop);
    return engine.endpoint;
  });
  const { secrets, cloudformation } = engines;
  const stack = await provisionStack(options, engines, gatewayUrl);

  const log = createLogStream();
  functions = await startStackFunctions(options, stack, engines, log);
  const polling = new AbortController();
  const sources = runEventSources(stack, functions, engines.sqs, polling.signal);
  stops.push(async () => {
    await close(server);
    polling.abort();
    for (const lambda of functions.values()) lambda.stop();
    await sources;
  });

  const webhookUrl = `${gatewayUrl}/webhooks/argyle`;
  const console = createConsole(consoleOptions(options, stack, engines, webhookUrl, log));
  server.on('request', createGateway(routesOf(stack, functions), console));
  // Without a stand-in they would reach the real Argyle.
  if (options.argyle) await createCustomResources(stack, functions, cloudformation);
  const schedules = schedulesOf(stack, functions);
  const { dynamodb: dynamodbEndpoint, sqs: sqsEndpoint } = engines.endpoints;
  return { webhookUrl, dynamodbEndpoint, sqsEndpoint, ...stack, secrets, functions, schedules, cloudformation, stop };
}

async function provisionStack(options: PipelineOptions, engines: Engines, gatewayUrl: string): Promise<LocalStack> {
  const template = readTemplate(options.assembly);
  const { webhookSecret } = options;
  const sqsEndpoint = engines.endpoints.sqs;
  const { identities, unknownTypes } = await provision(template, {
    ...engines,
    sqsEndpoint,
    gatewayUrl,
    webhookSecret,
  });
  for (const type of unknownTypes)
    options.onWarning(`The local pipeline leaves out ${type}: it does not know that type.`);
  const stack = { template, identities };
  if (options.argyle) keepCredentials(stack, engines.secrets, options.argyle);
  return stack;
}

async function startStackFunctions(
  options: PipelineOptions,
  stack: LocalStack,
  engines: Engines,
  log: LogStream,
): Promise<ReadonlyMap<string, Lambda>> {
  const { interpose = async (_, endpoint) => endpoint, startEnvironment = forkEnvironment, onLog } = options;
  const endpoints: Record<string, string> = {};
  for (const [service, endpoint] of Object.entries(engines.endpoints) as [AwsService, string][])
    endpoints[`AWS_ENDPOINT_URL_${endpointNames[service]}`] = await interpose(service, endpoint);
  return startFunctions(stack, {
    onLog: (functionName, line) => {
      log.publish(functionName, line);
      onLog(functionName, line);
    },
    standIns: options.argyle ? { [environment.argyleApiUrl]: options.argyle.url } : {},
    endpoints,
    startEnvironment,
  });
}

function consoleOptions(
  { argyle, webhookSecret }: PipelineOptions,
  stack: LocalStack,
  { endpoints, dynamodb, sqs }: Engines,
  webhookUrl: string,
  log: LogStream,
): ConsoleOptions {
  const services = Object.entries(endpoints) as [AwsService, string][];
  return {
    dynamodb,
    sqs,
    webhookUrl,
    webhookSecret,
    log,
    argyle: argyle && createArgyleControl(argyle.controlUrl),
    stack: {
      stackName: stack.template.stackName,
      outputs: resolve<object>(stack.template.outputs, stack.identities),
      endpoints: Object.fromEntries(services.map(([service, endpoint]) => [endpointNames[service], endpoint])),
    },
    ...consoleView(stack),
  };
}

// The credentials' secret is the customer's own: the template names it and does not make it.
function keepCredentials(stack: LocalStack, secrets: Map<string, LocalSecret>, { credentials }: ArgyleStandIn): void {
  for (const id of valuesOf(environment.argyleCredentialsId, stack))
    secrets.set(id, createSecret(JSON.stringify(credentials)));
}
